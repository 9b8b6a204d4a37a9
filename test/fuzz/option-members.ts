/** Options as people give them: known names with values that are mostly right, and everything that is not. */

import fc from 'fast-check';
import { awkwardTexts, texts } from './texts.js';
import { names, type Value, values } from './values.js';

type Member = readonly [name: string, value: Value];
type Likely = Readonly<Record<string, fc.Arbitrary<Value>>>;

const durations: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(0, 1, 5, 60, 0.001, 0.25, 300, 86_400, 1e9, -1, '1s', '15m', '250ms', '1.5h', '2 days', '1y'),
  fc.constantFrom<Value>({ number: 'NaN' }, { number: 'Infinity' }, '120', '', ' 1s', '1e3s', '.5s', '5.', '١s', '1 İ'),
  fc.tuple(fc.constantFrom('1', '9', ' ', '.', 's'), fc.nat(60)).map(([text, times]) => text.repeat(times)),
  fc
    .tuple(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'w', 'y', 'x'))
    .map(([amount, unit]) => `${amount}${unit}`),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const oneOrMore = fc.oneof(
  texts,
  fc.array(texts, { maxLength: 3 }).map((list) => ({ list })),
);
const patterns = fc.oneof(
  oneOrMore,
  texts.map((regexp) => ({ regexp })),
  fc.array(texts, { maxLength: 3 }).map((list) => ({ list: list.map((regexp) => ({ regexp })) })),
);
const flags = fc.boolean();
const counts = fc.oneof(fc.constantFrom(0, 1, 512, 8_192, 1_000, 1_048_576, 1_048_577, 1.5, -1, 2 ** 53), fc.nat());

const verifyOptions: Likely = {
  audience: patterns,
  issuer: oneOrMore,
  subject: texts,
  jwtid: texts,
  maxAge: durations,
  clockTolerance: durations,
  complete: flags,
  requiredClaims: fc.array(names, { maxLength: 3 }).map((list) => ({ list })),
  schema: fc.constant({ object: [['~standard', { object: [['version', 1]] }]] }),
  algorithms: fc.constantFrom({ list: ['HS256'] }, { list: ['none'] }, { list: [] }),
};

const signOptions: Likely = {
  expiresIn: durations,
  notBefore: durations,
  audience: oneOrMore,
  issuer: texts,
  subject: texts,
  jwtid: texts,
  noTimestamp: flags,
  header: fc.array(fc.tuple(names, texts), { maxLength: 3 }).map((object) => ({ object })),
  algorithm: fc.constantFrom('HS256', 'none'),
};

/** One in ten has a value that is anything, one in twenty a name that is none. */
function membersOf(likely: Likely): fc.Arbitrary<readonly Member[]> {
  const known = Object.entries(likely).map(([name, value]) =>
    fc.tuple(
      fc.oneof(
        { arbitrary: fc.constant(name), weight: 40 },
        fc.tuple(awkwardTexts).map(([end]) => name + end),
        names,
      ),
      fc.oneof({ arbitrary: value, weight: 10 }, values),
    ),
  );
  return fc.array(fc.oneof(...known), { maxLength: 4 });
}

export const signMembers = membersOf(signOptions);
export const verifyMembers = membersOf(verifyOptions);

/** By the door that takes them. */
export const optionMembers: Readonly<Record<string, fc.Arbitrary<readonly Member[]>>> = {
  sign: signMembers,
  verify: verifyMembers,
  rewt: membersOf({
    store: fc.constantFrom('a store'),
    redisConn: fc.oneof(fc.constantFrom('redis://localhost', 'rediss://u:p@h:1/2', 'http://a', ''), values),
    redisNamespace: texts,
    ttl: durations,
    tokenLifetime: durations,
    maxStaleness: durations,
    clockTolerance: durations,
    storeTimeout: durations,
    push: flags,
    maxTokenBytes: counts,
    tokenCache: counts,
    sign: signMembers.map((object) => ({ object })),
    verify: verifyMembers.map((object) => ({ object })),
    algorithms: fc.constantFrom({ list: ['HS256'] }),
  }),
  memory: membersOf({ now: values.map((value) => ({ function: value })) }),
  file: membersOf({ path: texts, now: values.map((value) => ({ function: value })) }),
  rotate: membersOf({ force: flags }),
  revoke: membersOf({ replicas: counts, timeout: durations }),
};
