/** The command of the fuzzer (`npm run fuzz --`): plays every target and prints what came of it. `--help` lists its options. */

import { randomInt } from 'node:crypto';
import { ordersIn } from '../orders.js';
import type { Ladder } from './ladder.js';
import { reportFault, reportLadder, reportSessions } from './report.js';
import { type Fault, playAgain, playTarget, type Session } from './session.js';
import { targets } from './targets.js';
import { watch } from './watch.js';

/** What the ladder takes, so that the rest can have what is left. */
const LADDER_SECONDS = 15;
/** Within this one call of it must be over. */
const LADDER_HANG_MS = 30_000;

const HELP = `npm run fuzz -- [options]

  --seconds 60     how long all of it may take
  --target ring    plays this target only; 'linear' plays the ladder
  --seed 7         plays the same inputs again
  --input '...'    plays one input of a target, as it was printed
  --json           prints the results as JSON
  -h, --help       prints this`;

const options = {
  seconds: { type: 'string', default: '60' },
  seed: { type: 'string' },
  target: { type: 'string' },
  input: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;
const values = ordersIn(process.argv.slice(2), options, HELP) ?? process.exit();
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const seconds = Number(values.seconds);
const known = [...Object.keys(targets), 'linear'];

const isTarget = values.target === undefined ? values.input === undefined : known.includes(values.target);
if (!Number.isSafeInteger(seed) || !(seconds > 0) || !isTarget) {
  console.error(
    `--seed is a whole number, --seconds more than 0, --target one of ${known.join(', ')}; --input wants its --target`,
  );
  process.exitCode = 2;
} else if (values.input !== undefined) {
  const fault = await playAgain(values.target ?? '', JSON.parse(values.input));
  if (fault === null) console.log('Nothing is wrong with this one.');
  else end([fault]);
} else {
  await playAll();
}

async function playAll(): Promise<void> {
  if (!values.json) console.log(`seed ${seed}\n`);
  const climbs = values.target === undefined || values.target === 'linear';
  const names = Object.keys(targets).filter((name) => values.target === undefined || name === values.target);
  const left = seconds - (climbs ? Math.min(LADDER_SECONDS, seconds / 3) : 0);
  const sessions: Session[] = [];
  // One after the other: two would measure each other.
  for (const name of names) sessions.push(await playTarget(name, seed, left / names.length));
  const ladder = climbs ? await watch<Ladder>({ ladder: true }, LADDER_HANG_MS) : null;

  const faults = sessions.flatMap(({ fault }) => fault ?? []);
  if (ladder !== null && 'silence' in ladder) {
    faults.push({ target: 'linear', message: ladder.how, input: ladder.input });
  } else if (ladder !== null && ladder.answer.broken !== null) {
    faults.push({ target: 'linear', message: ladder.answer.broken });
  }
  const climbed = ladder !== null && 'answer' in ladder ? ladder.answer : null;
  if (values.json) {
    console.log(JSON.stringify({ seed, sessions, faults, ladder: climbed }));
    process.exitCode = faults.length > 0 ? 1 : 0;
    return;
  }
  reportSessions(sessions);
  if (climbed !== null) reportLadder(climbed);
  end(faults);
}

function end(faults: readonly Fault[]): void {
  for (const fault of faults) reportFault(fault, seed);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
