/** What the fuzzer prints. */

import type { Ladder } from './ladder.js';
import type { Fault, Session } from './session.js';

const STEEPEST = 5;

export function reportSessions(sessions: readonly Session[]): void {
  if (sessions.length === 0) return;
  const row = (cells: readonly (string | number)[]) =>
    console.log(cells.map((cell, at) => (at === 0 ? String(cell).padEnd(8) : String(cell).padStart(12))).join(''));
  row(['target', 'inputs', 'inputs/s', 'accepted', 'branches', 'heap kB', 'slowest ms']);
  for (const { target, played } of sessions) {
    if (played === null) {
      row([target, '-']);
      continue;
    }
    const { inputs, seconds, outcomes, branches, growth, slowestMs } = played;
    const heap = growth === null ? '-' : `${growth.bytes < 0 ? '' : '+'}${Math.round(growth.bytes / 1_000)}`;
    row([target, inputs, Math.round(inputs / seconds), outcomes.accepted ?? 0, branches, heap, slowestMs.toFixed(1)]);
  }
  console.log('\nrefusals');
  for (const { target, played } of sessions) {
    const refusals = Object.entries(played?.outcomes ?? {}).filter(([code]) => code !== 'accepted');
    const sorted = refusals.sort(([, one], [, other]) => other - one);
    console.log(
      `  ${target}: ${sorted.map(([code, count]) => `${code.replace('ERR_REWT_', '')} ${count}`).join(', ')}`,
    );
  }
  console.log('\nslowest inputs');
  for (const { target, played } of sessions) {
    if (played !== null) console.log(`  ${target}: ${cut(JSON.stringify(played.slowest))}`);
  }
}

export function reportLadder({ climbed, tooLongMicroseconds }: Ladder): void {
  console.log(`\nlinear time: ${climbed.length} kinds of texts, from 1 kB to 1 MB; what a byte costs`);
  console.log('  4 kB to 1 MB  (medians)   worst from n to 4n   1 MB takes');
  const steepest = climbed.toSorted((one, other) => other.factor - one.factor).slice(0, STEEPEST);
  for (const { name, factor, medianFactor, worstStep, longestMs } of steepest) {
    const factors = [factor, medianFactor, worstStep].map((number) => `x ${number.toFixed(2)}`);
    console.log(
      `${factors.map((text) => text.padStart(14)).join('')}   ${longestMs.toFixed(2).padStart(12)} ms   ${name}`,
    );
  }
  console.log(`a token of 1 MB, where 8 kB are allowed, is refused in ${tooLongMicroseconds.toFixed(2)} µs`);
}

export function reportFault({ target, message, input }: Fault, seed: number): void {
  console.log(`\n${target}, seed ${seed}: ${message}`);
  if (input === undefined) {
    console.log(`  npm run fuzz -- --target ${target} --seed ${seed}`);
    return;
  }
  const json = JSON.stringify(input);
  console.log(`  ${json}\n  npm run fuzz -- --target ${target} --input '${json.replaceAll("'", "'\\''")}'`);
}

function cut(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}… (${text.length})` : text;
}
