/**
 * `npm run bench [-- <name> …]`: measures, and prints what the documentation may say; without names
 * all but the fleet.
 *
 * `--write` puts it into docs/ as well, `--check` fails where a claim of targets.js does not hold,
 * `--seed` gives back the order of an earlier run.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startChild } from './child.js';
import { figure, markdownTable, tableText } from './table.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const benches = ['codec', 'reject', 'repeat', 'server', 'http', 'redis', 'start', 'embedded', 'scale', 'fleet'];

// A signal ends what the bench has started as well: the listeners to exit do that.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const help = `npm run bench -- [options] [${benches.join(' | ')}]

  --quick      prints four headline ratios in under a minute; --base folder compares
               them with another checkout that is built
  --write      puts the results into docs/ as well
  --check      fails if a claim of targets.js does not hold
  --seed 7     gives back the order of an earlier run
  -h, --help   prints this`;

const { values, positionals } = asked();
if (values.help) {
  console.log(help);
  process.exit();
}
const usual = values.quick ? ['quick'] : benches.filter((name) => name !== 'fleet');
const names = positionals.length > 0 ? positionals : usual;
const unknown = positionals.find((name) => !benches.includes(name));
if (unknown !== undefined) refuse(`There is no bench called '${unknown}': there are ${benches.join(', ')}.`);
await run();

function asked() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        base: { type: 'string' },
        write: { type: 'boolean' },
        check: { type: 'boolean' },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return refuse(`${error.message}\n\n${help}`);
  }
}

function refuse(message) {
  console.error(message);
  process.exit(2);
}

async function run() {
  installPeers();
  const seed = Number(values.seed ?? Math.ceil(Math.random() * 2 ** 31));
  console.log(`Node ${process.versions.node}, seed ${seed}\n`);
  const tables = [];
  for (const name of names) {
    const child = startChild('one-bench.js', { name, seed, base: values.base });
    for (const table of await child.ask('run').finally(child.end)) {
      tables.push({ bench: name, ...table });
      console.log(tableText(table));
    }
  }
  if (values.write) await (await import('./report.js')).write(tables, seed);
  if (values.check) await check(tables);
}

async function check(tables) {
  const { checked } = await import('./targets.js');
  const rows = checked(tables, Number.parseInt(process.versions.node, 10));
  const lines = rows.map(({ claim, value, limit, is, met }) => [
    claim,
    figure(value),
    `at ${is} ${figure(limit)}`,
    met ? 'met' : 'MISSED',
  ]);
  console.log(markdownTable([['claim', 'is', 'has to be', ''], ...lines]));
  if (rows.some(({ met }) => !met)) process.exitCode = 1;
}

/** They are a separate package, so that work on rewt alone does not install them. */
function installPeers() {
  if (existsSync('bench/node_modules')) return;
  console.log('Installing what rewt is compared with: npm ci in bench/.');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: 'bench',
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) process.exit(1);
}
