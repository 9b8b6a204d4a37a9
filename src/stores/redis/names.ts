/**
 * The names of rewt's keys in Redis: all of a namespace in one hash slot, and the same with every
 * client. Pure.
 */

import { OptionError } from '../../errors.js';
import { SECRET_SUFFIX } from '../store.js';

export interface RedisNames {
  /** K: the current secret. */
  readonly key: string;
  /** R: the keyring. */
  readonly ring: string;
  /** The announcements of members, outside the prefixes that push watches. */
  readonly fleet: string;
  /** The common prefix of this namespace's drafts, and of no other namespace's. */
  readonly drafts: string;
  /** Returns the key that holds a wanted ring for the seconds before its swap. */
  draft(random: string): string;
}

/** The names with a key prefix, or without one. */
export interface AllRedisNames extends RedisNames {
  /**
   * The names without the leading key prefix, which a keyring of an earlier version keeps. Null:
   * they are the same.
   */
  readonly before: RedisNames | null;
}

/**
 * Returns the names of one namespace (protocol.md, "Names").
 *
 * @param keyPrefix the prefix that the user's client adds to every key; all names of a new keyring
 * begin with it
 * @throws {OptionError} naming `redisNamespace`, if the names cannot share one slot
 */
export function redisNames(namespace: string, keyPrefix = ''): AllRedisNames {
  const key = `${keyPrefix}${namespace}${SECRET_SUFFIX}`;
  const tag = hashTag(key);
  if (tag === null && key.includes('}')) {
    throw new OptionError(
      'redisNamespace has a "}" but no hash tag: write it as {tag} (with something between the ' +
        'braces), or leave the "}" out. A keyPrefix of the client counts as part of it.',
      { option: 'redisNamespace' },
    );
  }
  const plain =
    tag === null
      ? namesOf({ key, ring: `{${key}}:ring`, fleet: `rewt-fleet:{${key}}`, drafts: `rewt-draft:{${key}}:` })
      : namesOf({
          key,
          ring: `${key}:ring`,
          fleet: `rewt-fleet:{${tag}}:${key}`,
          drafts: `rewt-draft:${tagged(key, tag)}:`,
        });
  const named = tag === null ? `{${key}}` : tagged(key, tag);
  const [ring, fleet, drafts] = ['ring', 'fleet', 'draft'].map((kind) => `${keyPrefix}rewt-${kind}:${named}`) as [
    string,
    string,
    string,
  ];
  // A prefix with an unclosed "{" would put them into another slot.
  const isInSlot = hashTag(ring) === (tag ?? key);
  if (keyPrefix === '' || !isInSlot) return { ...plain, before: null };
  return { ...namesOf({ key, ring, fleet, drafts: `${drafts}:` }), before: plain };
}

export function namesOf(names: Omit<RedisNames, 'draft'>): RedisNames {
  return { ...names, draft: (random) => names.drafts + random };
}

/**
 * Returns a tagged name. It includes the length of the key, so that it does not begin the name of
 * another namespace with the same tag.
 */
function tagged(key: string, tag: string): string {
  return `{${tag}}${key.length}:${key}`;
}

/**
 * Returns the names of R for every other key prefix with the same K: prefix and namespace together
 * are the same text.
 */
export function ringsUnderPrefixes(namespace: string, keyPrefix = ''): readonly { prefix: string; ring: string }[] {
  const whole = keyPrefix + namespace;
  return Array.from({ length: whole.length }, (_, length) => {
    const prefix = whole.slice(0, length);
    const { ring, before } = redisNames(whole.slice(length), prefix);
    return before === null || prefix === keyPrefix ? [] : { prefix, ring };
  }).flat();
}

/**
 * Returns the pattern of ACL SETUSER that matches only this name. A pattern cannot contain the
 * white space of ASCII: "?" stands for each. It stands for one byte, so that others are kept.
 */
export function patternOf(name: string): string {
  return name.replace(/[*?[\]\\]/g, '\\$&').replace(/[\t-\r \0]/g, '?');
}

/**
 * Returns the namespace whose K or R has this name with a key prefix; null for every other name.
 */
export function namespaceOf(name: string, keyPrefix = ''): string | null {
  const [, prefixed] = /rewt-ring:\{[^}]*\}\d+:(.*)$/s.exec(name) ?? /rewt-ring:\{(.*)\}$/s.exec(name) ?? [];
  const [, untagged, tagged] = /^(?:\{(.*)\}|(.*)):ring$/s.exec(name) ?? [];
  const key = prefixed ?? untagged ?? tagged ?? name;
  if (!key.endsWith(SECRET_SUFFIX) || !key.startsWith(keyPrefix)) return null;
  // The name of a fleet may end like K.
  if (/rewt-(fleet|draft):\{/.test(name)) return null;
  const namespace = key.slice(keyPrefix.length, -SECRET_SUFFIX.length);
  try {
    const names = redisNames(namespace, keyPrefix);
    return [names.key, names.ring, names.before?.ring].includes(name) ? namespace : null;
  } catch {
    // The key of another program: no namespace has such a name.
    return null;
  }
}

/**
 * Returns what Redis Cluster hashes instead of the whole name: the text between the first "{" and
 * the next "}", if it is not empty.
 */
export function hashTag(name: string): string | null {
  const open = name.indexOf('{');
  const close = open < 0 ? -1 : name.indexOf('}', open + 1);
  return close > open + 1 ? name.slice(open + 1, close) : null;
}
