/**
 * Any JavaScript value, as a recipe in JSON: what a caller can hand over, on purpose, by accident,
 * or out of spite.
 */

import fc from 'fast-check';
import { NOW_MS } from './secrets.js';
import { tried } from './target.js';
import { awkwardTexts, CANARY, mostly, nestedText, texts, wordsOf } from './texts.js';

/** Itself, or `{ kind: ingredient }`, by the kinds below. */
export type Value = null | boolean | number | string | { readonly [kind: string]: Value | readonly Value[] | Members };
export type Members = readonly (readonly [name: string, value: Value])[];
/** What a cycle can lead back to. */
type Above = readonly object[];

class Instance {}

/** Cooks a recipe, anew each time: a getter may say something else the second time. */
export function build(value: Value, above: Above = []): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const [kind = '', ingredient = null] = Object.entries(value)[0] ?? [];
  return (kinds[kind] ?? build)(ingredient as never, above);
}

const kinds: Readonly<Record<string, (ingredient: never, above: Above) => unknown>> = {
  list: (items: readonly Value[], above) => fill([], Object.entries(items), above),
  object: (members: Members, above) => fill({}, members, above),
  bare: (members: Members, above) => fill(Object.create(null), members, above),
  instance: (members: Members, above) => fill(new Instance(), members, above),
  map: (members: Members, above) => new Map(members.map(([name, member]) => [name, build(member, above)])),
  number: Number,
  bigint: BigInt,
  symbol: Symbol,
  nothing: () => undefined,
  bytes: (text: string) => Buffer.from(text, 'latin1'),
  date: (ms: number) => new Date(ms),
  // Escaped: a pattern that takes for ever is its author's, and an option's own.
  regexp: (text: string) => new RegExp(text.replace(/\W/g, '\\$&'), 'g'),
  boxed: (value: Value, above) => Object(build(value, above)),
  function: (value: Value) => () => answer(value),
  proxy: ([trap, value]: readonly [string, Value], above) => proxied(build(value, above), trap),
  cycle: (level: number, above) => above[level % Math.max(1, above.length)],
  repeated: ([text, times]: readonly [string, number]) => text.repeat(times),
  deep: (levels: number) => JSON.parse(nestedText(levels, JSON.stringify(CANARY))),
};

/**
 * What is made when it is asked for. To throw is for those that are meant to: a callback would end
 * its program, rightly. No cycle leads out of it, or it would make itself without end.
 */
const answer = (value: Value) => tried(() => build(value), undefined);

function fill(holder: object, members: Members, above: Above): object {
  // A list's length would have to be a number. Names may be printed, their values not.
  for (const [name, value] of members.filter(([some]) => some !== 'length'))
    Object.defineProperty(holder, name.replaceAll(CANARY, 'name'), descriptor(value, [...above, holder]));
  return holder;
}

function descriptor(value: Value, above: Above): PropertyDescriptor {
  const common = { enumerable: true, configurable: true };
  if (typeof value === 'object' && value !== null) {
    if ('getter' in value) return { ...common, get: () => answer(value.getter as Value) };
    if ('throwing' in value) return { ...common, get: failing };
    if ('hidden' in value) return { ...common, enumerable: false, value: build(value.hidden as Value, above) };
    if ('changing' in value) {
      const answers = [...(value.changing as readonly Value[])];
      return { ...common, get: () => answer((answers.length > 1 ? answers.shift() : answers[0]) ?? null) };
    }
  }
  return { ...common, writable: true, value: build(value, above) };
}

function failing(): never {
  throw new Error(`an error of the caller's own, ${CANARY}`);
}

const FAILING_TRAPS = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'];

function proxied(target: unknown, trap: string): unknown {
  if (typeof target !== 'object' || target === null) return target;
  const denying = trap === 'denying' ? { has: () => false } : {};
  const { proxy, revoke } = Proxy.revocable(target, FAILING_TRAPS.includes(trap) ? { [trap]: failing } : denying);
  if (trap === 'revoked') revoke();
  return proxy;
}

/** Names that mean something somewhere. */
export const names = fc.oneof(
  { arbitrary: wordsOf('iss sub aud exp nbf iat jti'), weight: 3 },
  { arbitrary: wordsOf('toJSON __proto__ constructor hasOwnProperty then'), weight: 2 },
  { arbitrary: wordsOf('alg kid typ crit b64 cty jwk a b'), weight: 2 },
  texts,
);

const numbers = fc.oneof(
  fc.constantFrom(0, 1, -1, 1_800_000_000, 1_800_000_100, 1_799_999_000, 99_999_999_999, 1e11, 1e12),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Recipes of one kind. */
export const of = (kind: string, ingredients: fc.Arbitrary<Value | readonly Value[] | Members>): fc.Arbitrary<Value> =>
  ingredients.map((ingredient) => ({ [kind]: ingredient }));
export const listsOf = (items: fc.Arbitrary<Value>, maxLength: number) => of('list', fc.array(items, { maxLength }));

const recipes = fc.letrec<{ value: Value; members: [string, Value][] }>((tie) => {
  const simple = fc.oneof(
    { arbitrary: texts, weight: 4 },
    { arbitrary: numbers, weight: 4 },
    fc.constantFrom(null, true, false),
    of('number', wordsOf('NaN Infinity -Infinity -0 1e308')),
    fc.constantFrom<Value>({ nothing: 0 }, { bigint: '12345678901234567890' }, { symbol: CANARY }, { throwing: 0 }),
    of('bytes', fc.string({ unit: 'binary-ascii', maxLength: 8 })),
    of('date', fc.integer({ min: -1, max: 1e15 })),
    of('regexp', texts),
    of('cycle', fc.nat(5)),
    // The last is more than JSON.stringify has room for on the stack.
    of('deep', fc.constantFrom(5, 50, 500, 4_000)),
    of('repeated', fc.tuple(awkwardTexts, fc.constantFrom(10, 100, 1_000, 3_000))),
  );
  return {
    members: fc.array(fc.tuple(names, tie('value')), { maxLength: 5 }),
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      { arbitrary: simple, weight: 6 },
      { arbitrary: listsOf(tie('value'), 4), weight: 2 },
      { arbitrary: of('object', tie('members')), weight: 4 },
      ...['bare', 'instance', 'map'].map((kind) => of(kind, tie('members'))),
      ...['boxed', 'function', 'getter', 'hidden'].map((kind) => of(kind, tie('value'))),
      of('changing', fc.tuple(tie('value'), tie('value'))),
      of('proxy', fc.tuple(fc.constantFrom(...FAILING_TRAPS, 'revoked', 'denying', 'honest'), tie('value'))),
    ),
  };
});

export const values = recipes.value;
/** Objects with any members. */
export const objects = of('object', recipes.members);

const ahead = (...seconds: readonly number[]) => fc.constantFrom(...seconds.map((span) => NOW_MS / 1_000 + span));
const likely = fc.oneof(
  fc.tuple(fc.constant('exp'), ahead(300, 301, 100, 1, 0, -1)),
  fc.tuple(wordsOf('nbf iat'), ahead(-100, -1, 0, 1, 100, 0.5)),
  fc.tuple(wordsOf('iss sub jti'), texts),
  fc.tuple(fc.constant('aud'), mostly(1, texts, listsOf(texts, 2))),
);

/** Claims that mostly have the right types, and at times something else. */
export const claimObjects = of(
  'object',
  fc.tuple(fc.array(likely, { maxLength: 3 }), recipes.members).map(([right, any]) => [...any.slice(0, 2), ...right]),
);
