import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../../src/errors.js';
import { patternOf, redisNames } from '../../../src/stores/redis/names.js';
import { seeded } from '../../keyring/seeded.js';

/** The hash slot's input as the Redis Cluster specification has it. */
function hashedPart(name: string): string {
  const open = name.indexOf('{');
  if (open < 0) return name;
  const close = name.indexOf('}', open + 1);
  return close < 0 || close === open + 1 ? name : name.slice(open + 1, close);
}

describe('the names of a namespace', () => {
  it.each([
    ['rewt', 'rewt:rewt-secret', '{rewt:rewt-secret}:ring', 'rewt-draft:{rewt:rewt-secret}:x'],
    ['{app}', '{app}:rewt-secret', '{app}:rewt-secret:ring', 'rewt-draft:{app}17:{app}:rewt-secret:x'],
    ['a{b}c', 'a{b}c:rewt-secret', 'a{b}c:rewt-secret:ring', 'rewt-draft:{b}17:a{b}c:rewt-secret:x'],
    ['a{b', 'a{b:rewt-secret', '{a{b:rewt-secret}:ring', 'rewt-draft:{a{b:rewt-secret}:x'],
    ['', ':rewt-secret', '{:rewt-secret}:ring', 'rewt-draft:{:rewt-secret}:x'],
  ])('are as the protocol has them for %j', (namespace, key, ring, draft) => {
    const names = redisNames(namespace);
    expect([names.key, names.ring, names.draft('x')]).toEqual([key, ring, draft]);
  });

  it.each([
    ['app:', 'rewt', 'app:rewt-ring:{app:rewt:rewt-secret}', '{app:rewt:rewt-secret}:ring'],
    ['{app}:', 'rewt', '{app}:rewt-ring:{app}22:{app}:rewt:rewt-secret', '{app}:rewt:rewt-secret:ring'],
    ['app:', '{x}', 'app:rewt-ring:{x}19:app:{x}:rewt-secret', 'app:{x}:rewt-secret:ring'],
  ])(
    'begin with the prefix %j of the client, and those of before are known for %j',
    (prefix, namespace, ring, before) => {
      const names = redisNames(namespace, prefix);
      expect(names.key).toBe(`${prefix}${namespace}:rewt-secret`);
      expect(names.ring).toBe(ring);
      expect(names.before?.ring).toBe(before);
      expect(names.fleet).toBe(ring.replace('rewt-ring', 'rewt-fleet'));
      expect(names.drafts).toBe(`${ring.replace('rewt-ring', 'rewt-draft')}:`);
    },
  );

  it('are those of before alone if there is no prefix, or one that would change the slot', () => {
    expect(redisNames('rewt').before).toBeNull();
    expect(redisNames('rewt', 'a{')).toMatchObject({ ring: '{a{rewt:rewt-secret}:ring', before: null });
  });

  it('are in one slot whatever the namespace and the prefix, or refused with the reason', () => {
    const odd = fc.string({ unit: fc.constantFrom('{', '}', 'a', ':', 'ü') });
    fc.assert(
      fc.property(odd, odd, (namespace, prefix) => {
        let names: ReturnType<typeof redisNames>;
        try {
          names = redisNames(namespace, prefix);
        } catch (error) {
          expect(error).toBeInstanceOf(OptionError);
          expect(`${prefix}${namespace}`).toContain('}');
          return;
        }
        const part = hashedPart(names.key);
        for (const { ring, draft, fleet } of [names, names.before ?? names]) {
          expect([ring, draft('x'), fleet].map(hashedPart)).toEqual([part, part, part]);
        }
        if (names.before !== null) {
          const { ring, drafts, fleet } = names;
          expect([ring, drafts, fleet].filter((name) => !name.startsWith(prefix))).toEqual([]);
        }
      }),
      seeded(),
    );
  });

  it('keep the fleets of namespaces with one hash tag apart', () => {
    expect(redisNames('rewt').fleet).toBe('rewt-fleet:{rewt:rewt-secret}');
    expect(redisNames('{app}').fleet).toBe('rewt-fleet:{app}:{app}:rewt-secret');
    expect(redisNames('x{app}').fleet).toBe('rewt-fleet:{app}:x{app}:rewt-secret');
  });

  it('of drafts begin with no other namespace of the same tag, and end with what is random', () => {
    const name = fc.string({ unit: fc.constantFrom('{', '}', 'a', ':', '1', ':rewt-secret') });
    fc.assert(
      fc.property(name, name, (one, other) => {
        fc.pre(one !== other);
        const names = [one, other].map((rest) => redisNames(`{a}${rest}`));
        const open = redisNames('a');
        for (const mine of [...names, open]) {
          const others = [...names, open].filter(({ key }) => key !== mine.key);
          expect(others.filter(({ drafts }) => drafts.startsWith(mine.drafts))).toEqual([]);
          expect(mine.draft('x')).toBe(`${mine.drafts}x`);
        }
      }),
      seeded(),
    );
    const tagIsKey = redisNames('{a:rewt-secret}b');
    expect(tagIsKey.drafts.startsWith(redisNames('a').drafts)).toBe(false);
  });

  it('are patterns of ACL SETUSER with what means something there escaped', () => {
    expect(patternOf('a*b?c[d]e\\f g:rewt-secret')).toBe('a\\*b\\?c\\[d\\]e\\\\f?g:rewt-secret');
    expect(patternOf('a\tb\u00a0c\u2028d')).toBe('a?b\u00a0c\u2028d');
    expect(patternOf('{rewt:rewt-secret}:ring')).toBe('{rewt:rewt-secret}:ring');
  });

  it.each(['a}b', '{}', 'a{}b', 'a}{b'])('are refused for %j, which has a "}" but no hash tag', (namespace) => {
    expect(() => redisNames(namespace)).toThrow(expect.objectContaining({ option: 'redisNamespace' }));
  });
});
