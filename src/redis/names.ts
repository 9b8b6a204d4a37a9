/** The names of rewt's keys in Redis: all of a namespace in one hash slot, and the same whichever client writes them. Pure. */

import { OptionError } from '../errors.js';

/** How K ends, after the namespace. */
export const SECRET_SUFFIX = ':rewt-secret';

export interface RedisNames {
  /** K: the current secret. */
  readonly key: string;
  /** R: the keyring. */
  readonly ring: string;
  /** What members say of themselves; outside of what push watches. */
  readonly fleet: string;
  /** What the names of this namespace's drafts begin with, and those of no other namespace. */
  readonly drafts: string;
  /** Where a wanted ring waits for its swap, for seconds. */
  draft(random: string): string;
}

/** The names under a key prefix, or without one. */
export interface AllRedisNames extends RedisNames {
  /** Names without the key prefix in front, which a keyring of an earlier version keeps. Null: they are the same. */
  readonly before: RedisNames | null;
}

/**
 * The names of one namespace (protocol.md, "Names").
 *
 * @param keyPrefix what the user's client puts before every key; all names of a new keyring begin with it
 * @throws {OptionError} naming `redisNamespace`, where the name cannot be kept in one slot
 */
export function redisNames(namespace: string, keyPrefix = ''): AllRedisNames {
  const key = `${keyPrefix}${namespace}${SECRET_SUFFIX}`;
  const tag = hashTag(key);
  if (tag === null && key.includes('}')) {
    throw new OptionError(
      'redisNamespace has a "}" but no hash tag: write it as {tag} (with something between the braces), or leave the "}" out. A keyPrefix of the client counts as part of it.',
      { option: 'redisNamespace' },
    );
  }
  const plain =
    tag === null
      ? namesOf(key, `{${key}}:ring`, `rewt-fleet:{${key}}`, `rewt-draft:{${key}}:`)
      : namesOf(key, `${key}:ring`, `rewt-fleet:{${tag}}:${key}`, `rewt-draft:${tagged(key, tag)}:`);
  const named = tag === null ? `{${key}}` : tagged(key, tag);
  const [ring, fleet, drafts] = ['ring', 'fleet', 'draft'].map((kind) => `${keyPrefix}rewt-${kind}:${named}`) as [
    string,
    string,
    string,
  ];
  // A prefix with a "{" that it does not close would put them into another slot.
  const isInSlot = hashTag(ring) === (tag ?? key);
  if (keyPrefix === '' || !isInSlot) return { ...plain, before: null };
  return { ...namesOf(key, ring, fleet, `${drafts}:`), before: plain };
}

export function namesOf(key: string, ring: string, fleet: string, drafts: string): RedisNames {
  return { key, ring, fleet, drafts, draft: (random) => drafts + random };
}

/** With the length of the name, so that it does not begin the name of another namespace with the same tag. */
function tagged(key: string, tag: string): string {
  return `{${tag}}${key.length}:${key}`;
}

/**
 * The names of R under every other key prefix that gives the same K: prefix and namespace together are the
 * same text.
 */
export function ringsUnderPrefixes(namespace: string, keyPrefix = ''): readonly { prefix: string; ring: string }[] {
  const whole = keyPrefix + namespace;
  return Array.from({ length: whole.length }, (_, length) => {
    const prefix = whole.slice(0, length);
    const { ring, before } = redisNames(whole.slice(length), prefix);
    return before === null || prefix === keyPrefix ? [] : { prefix, ring };
  }).flat();
}

/** The pattern of ACL SETUSER that matches a name and nothing else. It cannot have spaces, for which any character stands. */
export function patternOf(name: string): string {
  return name.replace(/[*?[\]\\]/g, '\\$&').replace(/[\s\0]/g, '?');
}

/** The namespace whose K or R has this name under a key prefix; null for every other name. */
export function namespaceOf(name: string, keyPrefix = ''): string | null {
  const [, prefixed] = /rewt-ring:\{[^}]*\}\d+:(.*)$/s.exec(name) ?? /rewt-ring:\{(.*)\}$/s.exec(name) ?? [];
  const [, untagged, tagged] = /^(?:\{(.*)\}|(.*)):ring$/s.exec(name) ?? [];
  const key = prefixed ?? untagged ?? tagged ?? name;
  if (!key.endsWith(SECRET_SUFFIX) || !key.startsWith(keyPrefix)) return null;
  // A fleet's name may end with K.
  if (/rewt-(fleet|draft):\{/.test(name)) return null;
  const namespace = key.slice(keyPrefix.length, -SECRET_SUFFIX.length);
  try {
    const names = redisNames(namespace, keyPrefix);
    return [names.key, names.ring, names.before?.ring].includes(name) ? namespace : null;
  } catch {
    // Another program's key: no namespace has such a name.
    return null;
  }
}

/** What Redis Cluster hashes instead of the whole name: what is between the first "{" and the next "}", if it is not empty. */
export function hashTag(name: string): string | null {
  const open = name.indexOf('{');
  const close = open < 0 ? -1 : name.indexOf('}', open + 1);
  return close > open + 1 ? name.slice(open + 1, close) : null;
}
