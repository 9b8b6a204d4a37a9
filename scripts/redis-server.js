/** Makes sure of a redis-server for the tests: the one named by REWT_REDIS_SERVER, else one on the PATH, else the system's package manager brings it. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** How each package manager installs Redis; the first that is there is asked. Homebrew refuses to run as root, the others need it. */
const installers = [
  {
    program: 'apt-get',
    asRoot: true,
    steps: [['update'], ['install', '-y', '--no-install-recommends', 'redis-server']],
  },
  { program: 'dnf', asRoot: true, steps: [['install', '-y', 'redis']] },
  { program: 'apk', asRoot: true, steps: [['add', 'redis']] },
  { program: 'brew', asRoot: false, steps: [['install', 'redis']] },
];

/**
 * The path of a redis-server that is there, or null.
 * @returns {string | null}
 */
export function findRedisServer() {
  const named = process.env.REWT_REDIS_SERVER;
  if (named) return isProgram(named) ? resolve(named) : null;
  return onPath('redis-server');
}

/**
 * The path of a redis-server, installed first where there is none.
 * @returns {string}
 * @throws {Error} a sentence that says what to do
 */
export function ensureRedisServer() {
  const found = findRedisServer();
  if (found) return found;
  if (process.env.REWT_REDIS_SERVER) throw new Error('REWT_REDIS_SERVER names no program that can be run.');
  const installer = installers.find(({ program }) => onPath(program));
  if (installer) install(installer);
  const installed = findRedisServer();
  if (installed) return installed;
  throw new Error(
    'The tests need a redis-server and could not install one: install Redis (Debian: apt-get install redis-server; macOS: brew install redis), or name one in REWT_REDIS_SERVER.',
  );
}

function install({ program, asRoot, steps }) {
  const isRoot = process.getuid?.() === 0;
  const prefix = asRoot && !isRoot ? ['sudo', '-n'] : [];
  for (const step of steps) {
    const [command, ...args] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', program, ...step];
    // The words of a package manager belong on stderr: stdout is for the path. One failed step (a stale mirror, say) need not matter.
    spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  }
}

function onPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    console.log(ensureRedisServer());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
