/**
 * The servers that rewt promises to work with beside the installed one: from Debian's archive,
 * unpacked and not installed, into a cache folder.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { unpackDebian } from './debian-packages.js';

const cache = fileURLToPath(new URL('../node_modules/.cache/rewt-servers', import.meta.url));

/**
 * The last suite is the one that has the package; those before it have what it needs. `cli` says
 * whose redis-cli stands in.
 */
const recipes = [
  { name: 'redis-8.0', suites: ['trixie'], product: 'redis' },
  { name: 'valkey-8.0', suites: ['bookworm', 'bookworm-backports'], product: 'valkey' },
  // The tests ask redis-cli for -e (an error is a failure), which came with 7.0.
  { name: 'redis-6.0', suites: ['bullseye'], product: 'redis', cli: 'redis-8.0' },
];

/**
 * Each with the path of a program that REWT_REDIS_SERVER can name, or with a sentence on why it
 * cannot be had and what to do.
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
  const folder = join(cache, name);
  rmSync(folder, { recursive: true, force: true });
  unpackDebian(folder, suites, `${product}-tools`);
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

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const { name, server, problem } of ensureRedisVersions()) {
    if (problem) process.exitCode = 1;
    console.log(`${name}: ${server ?? problem}`);
  }
}
