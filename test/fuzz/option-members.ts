/**
 * Options as people give them: known names with values that are mostly right, and everything that
 * is not.
 */

import fc from 'fast-check';
import { signReaders } from '../../src/jwt/sign-options.js';
import { verifyReaders } from '../../src/jwt/verify-options.js';
import { rewtReaders } from '../../src/options.js';
import { awkwardTexts, mostly, texts, wordsOf } from './texts.js';
import { listsOf, names, of, type Value, values } from './values.js';

const durations: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(0, 1, 5, 60, 0.001, 0.25, 300, 86_400, 1e9, -1, '1s', '15m', '250ms', '1.5h', '2 days', '1y'),
  fc.constantFrom<Value>({ number: 'NaN' }, { number: 'Infinity' }, '120', '', ' 1s', '1e3s', '.5s', '5.', '١s', '1 İ'),
  fc.tuple(fc.constantFrom(...'19 .s'), fc.nat(60)).map(([text, times]) => text.repeat(times)),
  fc.tuple(fc.nat(), wordsOf('ms s m h d w y x')).map(([amount, unit]) => `${amount}${unit}`),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const counts = fc.oneof(fc.constantFrom(0, 1, 512, 8_192, 1_000, 1_048_576, 1_048_577, 1.5, -1, 2 ** 53), fc.nat());
const regexps = of('regexp', texts);
const algorithms = wordsOf('HS256 HS256 none');

/** By names of options, values that are mostly right. */
const likely: readonly (readonly [names: string, values: fc.Arbitrary<Value>])[] = [
  ['expiresIn notBefore maxAge clockTolerance ttl tokenLifetime maxStaleness storeTimeout timeout', durations],
  ['subject jwtid redisNamespace memberName path', texts],
  ['audience issuer', fc.oneof(texts, listsOf(texts, 3), regexps, listsOf(regexps, 3))],
  ['noTimestamp complete push readOnly force', fc.boolean()],
  ['maxTokenBytes tokenCache replicas', counts],
  ['header', of('object', fc.array(fc.tuple(names, texts), { maxLength: 3 }))],
  ['requiredClaims', listsOf(names, 3)],
  ['algorithm', algorithms],
  ['algorithms', listsOf(algorithms, 1)],
  ['schema', fc.constant({ object: [['~standard', { object: [['version', 1]] }]] })],
  ['store', fc.constant('a store')],
  ['redisConn', fc.oneof(wordsOf('redis://localhost rediss://u:p@h:1/2 http://a'), values)],
  ['now', of('function', values)],
];

/** One in ten has a value that is anything, one in twenty a name that is none. */
function objectsWith(known: readonly string[], nested: Readonly<Record<string, fc.Arbitrary<Value>>> = {}) {
  const members = known.map((name) => {
    const [, right = nested[name]] = likely.find(([some]) => some.split(' ').includes(name)) ?? [];
    const similar = awkwardTexts.map((end) => name + end);
    return fc.tuple(mostly(40, fc.constant(name), similar, names), right ? mostly(10, right, values) : values);
  });
  return of('object', fc.array(fc.oneof(...members), { maxLength: 4 }));
}

export const signOptions = objectsWith(Object.keys(signReaders));
const verify = objectsWith(Object.keys(verifyReaders));

/** By the door that takes them. */
export const optionObjects: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  sign: signOptions,
  verify,
  rewt: objectsWith(Object.keys(rewtReaders), { sign: signOptions, verify }),
  memory: objectsWith(['now']),
  file: objectsWith(['path', 'now']),
  rotate: objectsWith(['force']),
  revoke: objectsWith(['replicas', 'timeout']),
};
