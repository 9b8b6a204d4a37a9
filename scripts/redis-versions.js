/** The servers that rewt promises to work with beside the installed one: from Debian's archive, unpacked and not installed, into a cache folder. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../node_modules/.cache/rewt-servers', import.meta.url));
const mirror = 'http://deb.debian.org/debian';
const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The last suite is the one that has the package; those before it have what it needs. `cli` says whose redis-cli stands in. */
const recipes = [
  { name: 'redis-8.0', suites: ['trixie'], product: 'redis' },
  { name: 'valkey-8.0', suites: ['bookworm', 'bookworm-backports'], product: 'valkey' },
  // The tests ask redis-cli for -e (an error is a failure), which came with 7.0.
  { name: 'redis-6.0', suites: ['bullseye'], product: 'redis', cli: 'redis-8.0' },
];

/**
 * Each with the path of a program that REWT_REDIS_SERVER can name, or with a sentence on why it cannot be had and what to do.
 * @returns {{ name: string, server: string | null, problem: string | null }[]}
 */
export function ensureRedisVersions() {
  return recipes.map((recipe) => {
    const server = join(cache, recipe.name, 'redis-server');
    try {
      if (!runs(server)) fetchVersion(recipe);
      if (!runs(server)) throw new Error('it does not run here: this is for Linux systems with glibc');
      return { name: recipe.name, server, problem: null };
    } catch (error) {
      return { name: recipe.name, server: null, problem: error.message };
    }
  });
}

function runs(server) {
  return existsSync(server) && spawnSync(server, ['--version']).status === 0;
}

function fetchVersion({ name, suites, product, cli = name }) {
  if (!existsSync(keys)) {
    throw new Error(
      "Debian's keys are not here, without which nothing is trusted: apt-get install debian-archive-keyring",
    );
  }
  const folder = join(cache, name);
  rmSync(folder, { recursive: true, force: true });
  const packages = download(join(folder, 'apt'), suites, `${product}-tools`);
  for (const file of packages) run('dpkg-deb', '--extract', file, join(folder, 'root'));
  rmSync(join(folder, 'apt'), { recursive: true });
  // Debian's servers are one program under two names.
  const bin = join(folder, 'root/usr/bin');
  rmSync(join(bin, `${product}-server`), { force: true });
  symlinkSync(`${product}-check-rdb`, join(bin, `${product}-server`));
  // The server is last: where it is, all is.
  const client = recipes.find((recipe) => recipe.name === cli);
  for (const [recipe, part] of [
    [client, 'cli'],
    [{ name, product }, 'server'],
  ]) {
    writeFileSync(join(folder, `redis-${part}`), launcher(recipe, part), { mode: 0o755 });
  }
}

/** A package and all that it needs, from apt with a state of its own in which nothing is installed. apt verifies what it downloads. */
function download(state, suites, name) {
  const archives = join(state, 'archives');
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(state, folder), { recursive: true });
  const sources = suites.map((suite) => `deb [signed-by=${keys}] ${mirror} ${suite} main\n`);
  writeFileSync(join(state, 'sources.list'), sources.join(''));
  writeFileSync(join(state, 'status'), '');
  const settings = {
    'Dir::Etc::SourceList': join(state, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State': state,
    'Dir::State::Status': join(state, 'status'),
    'Dir::Cache': state,
    'Dir::Cache::Archives': archives,
    'APT::Sandbox::User': '', // it need not read the folders of whoever runs this
    'APT::Default-Release': suites.at(-1),
    'Debug::NoLocking': true,
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  run('apt-get', '--quiet=2', ...options, 'update', '--error-on=any');
  run('apt-get', '--quiet=2', ...options, 'install', '--yes', '--download-only', '--no-install-recommends', name);
  return readdirSync(archives)
    .filter((file) => file.endsWith('.deb'))
    .map((file) => join(archives, file));
}

/** Runs a program with its own suite's loader and libraries, whatever system this is. */
function launcher({ name, product }, part) {
  const root = join(cache, name, 'root');
  const folders = ['lib', 'usr/lib'].flatMap((parent) =>
    existsSync(join(root, parent))
      ? readdirSync(join(root, parent))
          .filter((entry) => /-linux-gnu/.test(entry))
          .map((entry) => `${parent}/${entry}`)
      : [],
  );
  const loaders = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((entry) => /^ld-linux.*\.so\.\d$/.test(entry))
      .map((entry) => `${folder}/${entry}`),
  );
  if (!loaders[0]) throw new Error(`it needs ${name}, which is not here`);
  const path = folders.map((folder) => `$root/${folder}`).join(':');
  return `#!/bin/sh
root="\${0%/*}/../${name}/root"
exec "$root/${loaders[0]}" --library-path "${path}" "$root/usr/bin/${product}-${part}" "$@"
`;
}

function run(program, ...args) {
  const { status, error, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (error) throw new Error(`${program} is needed: use a system with Debian's tools`);
  if (status !== 0) {
    const reason = stderr.split('\n').find((line) => line.startsWith('E:')) ?? stderr.trim();
    throw new Error(`${program} failed: ${reason} (is the archive within reach?)`);
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const { name, server, problem } of ensureRedisVersions()) {
    if (problem) process.exitCode = 1;
    console.log(`${name}: ${server ?? problem}`);
  }
}
