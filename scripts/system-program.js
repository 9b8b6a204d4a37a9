/**
 * Makes sure of a program that is no package of npm's: the one that a variable names, else one on
 * the PATH, else the system's package manager brings it.
 */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/**
 * How each package manager installs; the first that is there is asked. Homebrew refuses to run as
 * root, the others need it.
 */
const installers = [
  { manager: 'apt-get', asRoot: true, steps: [['update'], ['install', '-y', '--no-install-recommends']] },
  { manager: 'dnf', asRoot: true, steps: [['install', '-y']] },
  { manager: 'apk', asRoot: true, steps: [['add']] },
  { manager: 'brew', asRoot: false, steps: [['install']] },
];

/** Where servers are that only root has on its PATH. */
const serverFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * The path of a program that is there, or null.
 * @param {{ program: string, variable: string }} wanted
 * @returns {string | null}
 */
export function findProgram({ program, variable }) {
  const named = process.env[variable];
  if (named) return isProgram(named) ? resolve(named) : null;
  return onPath(program);
}

/**
 * The path of a program, installed first where there is none.
 * @param {{ program: string, variable: string, packages: Record<string, string> }} wanted
 * `packages` is what each manager calls it.
 * @returns {string}
 * @throws {Error} a sentence that says what to do
 */
export function ensureProgram(wanted) {
  const { program, variable, packages } = wanted;
  const found = findProgram(wanted);
  if (found) return found;
  if (process.env[variable]) throw new Error(`${variable} names no program that can be run.`);
  const installer = installers.find(({ manager }) => onPath(manager));
  if (installer) install(installer, packages[installer.manager]);
  const installed = findProgram(wanted);
  if (installed) return installed;
  throw new Error(
    `The tests need ${program} and could not install it: install it (Debian: apt-get install ` +
      `${packages['apt-get']}; macOS: brew install ${packages.brew}), or name one in ${variable}.`,
  );
}

/** For a script that is run by itself: prints the path, or says what to do. */
export function printIfRun(url, ensure) {
  if (!process.argv[1] || resolve(process.argv[1]) !== fileURLToPath(url)) return;
  try {
    console.log(ensure());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

function install({ manager, asRoot, steps }, name) {
  const isRoot = process.getuid?.() === 0;
  const prefix = asRoot && !isRoot ? ['sudo', '-n'] : [];
  for (const [at, step] of steps.entries()) {
    const words = [manager, ...step, ...(at === steps.length - 1 ? [name] : [])];
    const [command, ...args] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...words];
    // The words of a package manager belong on stderr: stdout is for the path. One failed step (a
    // stale mirror, say) need not matter.
    spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  }
}

function onPath(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...serverFolders];
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
