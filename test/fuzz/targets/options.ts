/** Options of every door, with any value under any name: taken, or refused in our own words, and what was taken works. */

import fc from 'fast-check';
import { CLOCK } from '../../../src/clock.js';
import { fileStore, memoryStore, Rewt, type RewtOptions } from '../../../src/index.js';
import { compileSignOptions, compileVerifyOptions } from '../../../src/jwt/claims.js';
import { optionMembers } from '../option-members.js';
import { openStage, storeWith, turnedClock } from '../stage.js';
import { assertThat, outcomeOf, type Target } from '../target.js';
import { build, type Value, values } from '../values.js';

interface Input {
  readonly door: string;
  readonly raw: Value;
}

type Door = (raw: unknown) => Promise<unknown> | unknown;

const emptyStage = () => openStage(storeWith(null, null));

const doors: Readonly<Record<string, Door>> = {
  sign: (raw) => assertFrozen(compileSignOptions(raw)),
  verify: (raw) => assertFrozen(compileVerifyOptions(raw)),
  rewt: useRewt,
  memory: (raw) => memoryStore(raw as object),
  // Nothing is opened before the first call.
  file: (raw) => fileStore(raw as { path: string }),
  rotate: (raw) => emptyStage().rewt.rotate(raw as object),
  revoke: (raw) => emptyStage().rewt.revoke(raw as object),
  calls: useCalls,
};

export function optionsTarget(): Target<Input, { door: Door; raw: unknown }> {
  // Loads the client that is behind a URL now: five megabytes, which would look like a leak where the first URL comes late. Nothing is opened.
  new Rewt({ redisConn: 'redis://localhost:1' });
  const likely = Object.entries(optionMembers).map(([door, members]) =>
    fc.record({ door: fc.constant(door), raw: members.map((object) => ({ object })) }),
  );
  const calls = fc.record({
    door: fc.constant('calls'),
    raw: fc.array(values, { maxLength: 4 }).map((list) => ({ list })),
  });
  const others = fc.record({ door: fc.constantFrom(...Object.keys(doors)), raw: values });
  return {
    grammar: fc.oneof({ arbitrary: fc.oneof(...likely), weight: 8 }, calls, others),
    prepare({ door: name, raw }) {
      const door = Object.hasOwn(doors, name) ? doors[name] : undefined;
      if (door === undefined) throw new Error('there is no such door');
      return { door, raw: build(raw) };
    },
    async play({ door, raw }) {
      const outcome = await outcomeOf(() => door(raw));
      return 'code' in outcome ? outcome.code : 'accepted';
    },
  };
}

function assertFrozen(compiled: object): void {
  assertThat(Object.isFrozen(compiled), 'options that were read can be changed');
  for (const [name, value] of Object.entries(compiled)) {
    const isRight = !name.endsWith('Seconds') || value === undefined || (Number.isFinite(value) && value >= 0);
    assertThat(isRight, 'a span of time is none', () => `${name} ${value}`);
  }
}

/** Whatever was taken signs and verifies. */
async function useRewt(raw: unknown): Promise<void> {
  const { clock, turn } = turnedClock();
  const isOurs = asksForStore(raw);
  if (isOurs) Object.assign(raw, { store: storeWith(null, null), [CLOCK]: clock });
  const rewt = new Rewt(raw as RewtOptions);
  // Anything else would be a client's to answer.
  if (isOurs) {
    turn();
    const token = await outcomeOf(() => rewt.sign({ a: 1 }));
    turn();
    if ('value' in token) await outcomeOf(() => rewt.verify(token.value));
    else assertThat(token.code !== 'ERR_REWT_OPTION', 'options were taken with which nothing can be signed');
    JSON.stringify(rewt.status());
  }
  await rewt.close();
}

function asksForStore(raw: unknown): raw is object {
  try {
    return Object.getOwnPropertyDescriptor(raw, 'store')?.value === 'a store';
  } catch {
    return false;
  }
}

/** Getters in a list of arguments are called before rewt is. */
function listOf(raw: unknown): readonly unknown[] {
  try {
    return [...(raw as unknown[])];
  } catch {
    return [raw];
  }
}

/** The original's calling convention, with whatever arguments. */
async function useCalls(raw: unknown): Promise<void> {
  const { rewt, turn } = emptyStage();
  const list = listOf(raw);
  turn();
  const outcomes = [
    await outcomeOf(() => Reflect.apply(rewt.sign, rewt, list)),
    await outcomeOf(() => Reflect.apply(rewt.verify, rewt, list)),
    await outcomeOf(() => Reflect.apply(rewt.signSync, rewt, list)),
  ];
  for (const outcome of outcomes) {
    const isText = !('value' in outcome) || outcome.value === undefined || typeof outcome.value === 'string';
    assertThat(isText, 'a call gave something that is no token');
  }
}
