/** Any JavaScript value, as a recipe in JSON: what a caller can hand over, on purpose, by accident, or out of spite. */

import fc from 'fast-check';
import { NOW_MS } from './secrets.js';
import { awkwardTexts, CANARY, texts } from './texts.js';

type Members = readonly (readonly [string, Value])[];

export type Value =
  | null
  | boolean
  | number
  | string
  | { readonly list: readonly Value[] }
  | { readonly object: Members }
  | { readonly bare: Members }
  | { readonly instance: Members }
  | { readonly map: Members }
  | { readonly number: string }
  | { readonly bigint: string }
  | { readonly symbol: string }
  | { readonly nothing: number }
  | { readonly bytes: string }
  | { readonly date: number }
  | { readonly regexp: string }
  | { readonly boxed: Value }
  | { readonly function: Value }
  | { readonly getter: Value }
  | { readonly changing: readonly [Value, Value] }
  | { readonly throwing: number }
  | { readonly hidden: Value }
  | { readonly proxy: Value; readonly trap: string }
  | { readonly cycle: number }
  | { readonly repeated: string; readonly times: number }
  | { readonly deep: number };

/** More than JSON.stringify has room for on the stack. */
const MOST_LEVELS = 8_000;
const MOST_CHARACTERS = 20_000;

class Instance {}

/** Throws where a mutation made something that is no recipe. `above`: what a cycle can lead back to. */
export function build(value: Value, above: readonly object[] = []): unknown {
  if (value === undefined) throw new TypeError('this is no recipe');
  if (typeof value !== 'object' || value === null) return value;
  if ('list' in value)
    return fill(
      [],
      value.list.map((item, at) => [String(at), item] as const),
      above,
    );
  if ('object' in value) return fill({}, value.object, above);
  if ('bare' in value) return fill(Object.create(null), value.bare, above);
  if ('instance' in value) return fill(new Instance(), value.instance, above);
  if ('map' in value) return new Map(value.map.map(([name, member]) => [name, build(member, above)]));
  if ('number' in value) return Number(value.number);
  if ('bigint' in value) return BigInt(value.bigint.replace(/\D/g, ''));
  if ('symbol' in value) return Symbol(value.symbol);
  if ('nothing' in value) return undefined;
  if ('bytes' in value) return Buffer.from(value.bytes, 'latin1');
  if ('date' in value) return new Date(value.date);
  // Escaped: a pattern that takes for ever is its author's, and an option's own.
  if ('regexp' in value) return new RegExp(value.regexp.replace(/\W/g, '\\$&'), 'g');
  if ('boxed' in value) return Object(build(value.boxed, above));
  if ('function' in value) return () => answer(value.function);
  if ('proxy' in value) return proxied(build(value.proxy, above), value.trap);
  if ('cycle' in value) return above[value.cycle % Math.max(1, above.length)];
  if ('repeated' in value) return value.repeated.repeat(Math.min(value.times, MOST_CHARACTERS / value.repeated.length));
  if ('deep' in value) return nested(Math.min(value.deep, MOST_LEVELS));
  return build(Object.values(value)[0] as Value, above);
}

/** What is made when it is asked for. To throw is for those that are meant to: a callback would end its program, rightly. No cycle leads out of it, or it would make itself without end. */
function answer(value: Value): unknown {
  try {
    return build(value);
  } catch {
    return undefined;
  }
}

function fill(holder: object, members: Members, above: readonly object[]): object {
  for (const [name, value, ...more] of members) {
    if (more.length > 0) throw new TypeError('this is no recipe');
    // A list's length would have to be a number. Names may be told, what is under them not.
    if (name !== 'length')
      Object.defineProperty(holder, name.replaceAll(CANARY, 'name'), descriptor(value, [...above, holder]));
  }
  return holder;
}

function descriptor(value: Value, above: readonly object[]): PropertyDescriptor {
  const common = { enumerable: true, configurable: true };
  if (typeof value === 'object' && value !== null) {
    if ('getter' in value) return { ...common, get: () => answer(value.getter) };
    if ('throwing' in value) return { ...common, get: failing };
    if ('hidden' in value) return { ...common, enumerable: false, value: build(value.hidden, above) };
    if ('changing' in value) {
      let reads = 0;
      return { ...common, get: () => answer(value.changing[reads++ === 0 ? 0 : 1]) };
    }
  }
  return { ...common, writable: true, value: build(value, above) };
}

function failing(): never {
  throw new Error(`an error of the caller's own, ${CANARY}`);
}

const traps = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf', 'revoked', 'denying', 'honest'];

function proxied(target: unknown, trap: string): unknown {
  if (typeof target !== 'object' || target === null) return target;
  if (trap === 'denying') return new Proxy(target, { has: () => false });
  if (trap !== 'revoked') return new Proxy(target, traps.indexOf(trap) < 5 ? { [trap]: failing } : {});
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function nested(levels: number): unknown {
  let value: unknown = CANARY;
  for (let level = 0; level < levels; level += 1) value = level % 2 ? { a: value } : [value];
  return { deep: value };
}

/** Names that mean something somewhere. */
export const names = fc.oneof(
  { arbitrary: fc.constantFrom('iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'), weight: 3 },
  { arbitrary: fc.constantFrom('toJSON', '__proto__', 'constructor', 'hasOwnProperty', 'then'), weight: 2 },
  { arbitrary: fc.constantFrom('alg', 'kid', 'typ', 'crit', 'b64', 'cty', 'jwk', 'a', 'b'), weight: 2 },
  { arbitrary: texts, weight: 1 },
);

const numbers = fc.oneof(
  fc.constantFrom(0, 1, -1, 1_800_000_000, 1_800_000_100, 1_799_999_000, 99_999_999_999, 1e11, 1e12),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

const recipes = fc.letrec<{ value: Value; members: [string, Value][] }>((tie) => {
  const some = fc.array(fc.tuple(names, tie('value')), { maxLength: 5 });
  const simple: fc.Arbitrary<Value> = fc.oneof(
    { arbitrary: texts, weight: 4 },
    { arbitrary: numbers, weight: 4 },
    fc.constantFrom(null, true, false),
    fc.constantFrom('NaN', 'Infinity', '-Infinity', '-0', '1e308').map((number) => ({ number })),
    fc.constantFrom<Value>({ nothing: 0 }, { bigint: '12345678901234567890' }, { symbol: CANARY }, { throwing: 0 }),
    fc.string({ unit: 'binary-ascii', maxLength: 8 }).map((bytes) => ({ bytes })),
    fc.integer({ min: -1, max: 1e15 }).map((date) => ({ date })),
    texts.map((regexp) => ({ regexp })),
    fc.nat(5).map((cycle) => ({ cycle })),
    fc.constantFrom(10, 100, 1_000, 8_000).map((deep) => ({ deep })),
    fc.record({ repeated: awkwardTexts, times: fc.constantFrom(10, 1_000, 9_000) }),
  );
  return {
    members: some,
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      { arbitrary: simple, weight: 6 },
      { arbitrary: fc.array(tie('value'), { maxLength: 4 }).map((list) => ({ list })), weight: 2 },
      { arbitrary: tie('members').map((object) => ({ object })), weight: 4 },
      tie('members').map((bare) => ({ bare })),
      tie('members').map((instance) => ({ instance })),
      tie('members').map((map) => ({ map })),
      tie('value').map((boxed) => ({ boxed })),
      tie('value').map((result) => ({ function: result })),
      tie('value').map((getter) => ({ getter })),
      tie('value').map((hidden) => ({ hidden })),
      fc.tuple(tie('value'), tie('value')).map((changing) => ({ changing })),
      fc.record({ proxy: tie('value'), trap: fc.constantFrom(...traps) }),
    ),
  };
});

export const values: fc.Arbitrary<Value> = recipes.value;
export const members: fc.Arbitrary<Members> = recipes.members;

const ahead = (...seconds: readonly number[]) => fc.constantFrom(...seconds.map((span) => NOW_MS / 1_000 + span));
const likely: readonly fc.Arbitrary<readonly [string, Value]>[] = [
  fc.tuple(fc.constant('exp'), ahead(300, 301, 100, 1, 0, -1)),
  fc.tuple(fc.constantFrom('nbf', 'iat'), ahead(-100, -1, 0, 1, 100, 0.5)),
  fc.tuple(fc.constantFrom('iss', 'sub', 'jti'), texts),
  fc.tuple(
    fc.constant('aud'),
    fc.oneof(
      texts,
      fc.array(texts, { maxLength: 2 }).map((list) => ({ list })),
    ),
  ),
];

/** Claims that mostly have the right types, and at times something else. */
export const claimMembers: fc.Arbitrary<Members> = fc
  .tuple(fc.array(fc.oneof(...likely), { maxLength: 3 }), recipes.members)
  .map(([right, any]) => [...any.slice(0, 2), ...right]);
