/**
 * Options of every door, with any value under any name: taken, or refused in our own words, and
 * what was taken works.
 */

import fc from 'fast-check';
import { fileStore, memoryStore, Rewt, type RewtOptions } from '../../../src/index.js';
import { compileSignOptions } from '../../../src/jwt/sign-options.js';
import { compileVerifyOptions } from '../../../src/jwt/verify-options.js';
import { CLOCK } from '../../../src/time/clock.js';
import { optionObjects } from '../option-members.js';
import { openStage, storeWith, turnedClock } from '../stage.js';
import { assertThat, outcomeOf, targetOf, tried } from '../target.js';
import { mostly } from '../texts.js';
import { build, listsOf, values } from '../values.js';

const emptyStage = () => openStage(storeWith(null, null));

const doors: Readonly<Record<string, (raw: unknown) => unknown>> = {
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

export function optionsTarget() {
  // Loads the client that is behind a URL now: five megabytes, which would look like a leak where
  // the first URL comes late. Nothing is opened.
  new Rewt({ redisConn: 'redis://localhost:1' });
  const likely = Object.entries(optionObjects).map(([door, raw]) => fc.record({ door: fc.constant(door), raw }));
  const calls = fc.record({ door: fc.constant('calls'), raw: listsOf(values, 4) });
  const others = fc.record({ door: fc.constantFrom(...Object.keys(doors)), raw: values });
  return targetOf({
    inputs: mostly(8, fc.oneof(...likely), calls, others),
    async play({ door, raw }) {
      const outcome = await outcomeOf(() => doors[door]?.(build(raw)));
      return 'code' in outcome ? outcome.code : 'accepted';
    },
  });
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
  const { clock, call } = turnedClock();
  const isOurs = tried(() => Object.getOwnPropertyDescriptor(raw, 'store')?.value === 'a store', false);
  if (isOurs) Object.assign(raw as object, { store: storeWith(null, null), [CLOCK]: clock });
  const rewt = new Rewt(raw as RewtOptions);
  // Anything else would be a client's to answer.
  if (isOurs) {
    const token = await call(() => rewt.sign({ a: 1 }));
    if ('value' in token) await call(() => rewt.verify(token.value));
    else assertThat(token.code !== 'ERR_REWT_OPTION', 'options were taken with which nothing can be signed');
    JSON.stringify(rewt.status());
  }
  await rewt.close();
}

/** The original's calling convention, with whatever arguments. */
async function useCalls(raw: unknown): Promise<void> {
  const { rewt, call } = emptyStage();
  // Getters in a list of arguments are called before rewt is.
  const list = tried(() => [...(raw as unknown[])], [raw]);
  for (const method of [rewt.sign, rewt.verify, rewt.signSync]) {
    const outcome = await call(() => Reflect.apply(method, rewt, list));
    const isText = !('value' in outcome) || outcome.value === undefined || typeof outcome.value === 'string';
    assertThat(isText, 'a call gave something that is no token');
  }
}
