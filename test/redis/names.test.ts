import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors.js';
import { patternOf, redisNames } from '../../src/redis/names.js';

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

  it('begin with the prefix of the client, which may bring the hash tag', () => {
    expect(redisNames('rewt', 'app:')).toMatchObject({
      key: 'app:rewt:rewt-secret',
      ring: '{app:rewt:rewt-secret}:ring',
    });
    expect(redisNames('rewt', '{app}:')).toMatchObject({
      key: '{app}:rewt:rewt-secret',
      ring: '{app}:rewt:rewt-secret:ring',
    });
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
        expect(hashedPart(names.ring)).toBe(part);
        expect(hashedPart(names.draft('x'))).toBe(part);
        expect(hashedPart(names.fleet)).toBe(part);
      }),
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
    );
    const tagIsKey = redisNames('{a:rewt-secret}b');
    expect(tagIsKey.drafts.startsWith(redisNames('a').drafts)).toBe(false);
  });

  it('are patterns of ACL SETUSER with what means something there escaped', () => {
    expect(patternOf('a*b?c[d]e\\f g:rewt-secret')).toBe('a\\*b\\?c\\[d\\]e\\\\f?g:rewt-secret');
    expect(patternOf('{rewt:rewt-secret}:ring')).toBe('{rewt:rewt-secret}:ring');
  });

  it.each(['a}b', '{}', 'a{}b', 'a}{b'])('are refused for %j, which has a "}" but no hash tag', (namespace) => {
    expect(() => redisNames(namespace)).toThrow(expect.objectContaining({ option: 'redisNamespace' }));
  });
});
