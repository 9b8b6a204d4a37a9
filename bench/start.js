/** Starting up: time and memory of loading each package in a separate process. */

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parts } from './parts.js';
import { median, quietAndMedian, spread } from './quantiles.js';
import { shuffled } from './random.js';
import { weights } from './weights.js';

const RUNS = 21;
const MEGABYTE = 2 ** 20;
const peers = ['jsonwebtoken', 'jose', 'fast-jwt'];

export async function run({ random }) {
  const folder = await mkdtemp(join(tmpdir(), 'rewt-start-'));
  try {
    const [tarball] = JSON.parse(await npm('pack', '--json', '--pack-destination', folder));
    // A folder as an application has one, with the package as it is published.
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    await npm('install', '--prefix', folder, '--offline', join(folder, tarball.filename));
    await copyFile('bench/start-child.js', join(folder, 'start-child.js'));

    const ways = ['require', 'import'];
    const loads = ways.flatMap((how) => [
      { name: 'rewt', how, folder, found: [] },
      ...peers.map((name) => ({ name, how, folder: 'bench', found: [] })),
    ]);
    const nothing = { name: '', how: 'nothing', folder: 'bench', found: [] };
    for (let n = 0; n < RUNS; n += 1) {
      for (const load of shuffled([nothing, ...loads], random)) load.found.push(await start(load));
    }
    const rows = [
      ...loads.map((load) => rowOf(load, loads)),
      { ...rowOf(nothing, loads), name: 'a process that loads nothing' },
    ];
    const columns = ['ratio', 'ms p10 / median', 'heap MB', 'RSS MB', 'whole process ms'];
    return [
      { id: 'start', title: 'Load a package in a fresh process', columns, rows },
      await parts(folder, random),
      await weights(
        {
          rewt: join(folder, 'node_modules'),
          ...Object.fromEntries(peers.map((name) => [name, 'bench/node_modules'])),
        },
        tarball,
      ),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function npm(...args) {
  const { stdout } = await promisify(execFile)('npm', [...args, '--ignore-scripts', '--no-audit', '--no-fund']);
  return stdout;
}

async function start({ name, how, folder }) {
  const startedMs = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'start-child.js'), how, name]);
  return { ...JSON.parse(stdout), wholeMs: performance.now() - startedMs };
}

function rowOf({ name, how, found }, loads) {
  const row = {
    name: `${how} ${name}`,
    'ms p10 / median': quietAndMedian(found.map(({ ms }) => ms)),
    'heap MB': median(found.map(({ heap }) => heap)) / MEGABYTE,
    'RSS MB': median(found.map(({ rss }) => rss)) / MEGABYTE,
    'whole process ms': median(found.map(({ wholeMs }) => wholeMs)),
  };
  const ours = loads.find((load) => load.name === 'rewt' && load.how === how);
  if (ours && name !== 'rewt') row.ratio = spread(found.map(({ ms }, n) => ms / ours.found[n].ms));
  return row;
}
