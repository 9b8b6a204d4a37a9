/**
 * Members of one keyring in memory, each with a connection that a test can break, on a clock that
 * it turns.
 */

import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Store } from '../../src/index.js';
import { type FaultyStore, faultyStore } from './faulty-store.js';
import { times, turnTime } from './turned-time.js';

export interface TurnedMembers {
  /** The store beneath those of all members; a test may put another one in its place. */
  register: Store;
  member(options?: Partial<RewtOptions>): { rewt: Rewt; store: FaultyStore };
  /** Writes both entries past the members; false if the store took neither. */
  put(
    key: { readonly value?: string; readonly expiresAtMs?: number },
    ring: { readonly text: string; readonly expiresAtMs?: number | undefined },
  ): Promise<boolean>;
  /** A token as the first rewt signs: no kid, no exp. */
  legacyToken(): Promise<string>;
}

/** Turns the time of each test of this file, and gives each an empty keyring. */
export function turnedMembers(): TurnedMembers {
  const keyring: TurnedMembers = {
    register: memoryStore(),
    member(options = {}) {
      const store = faultyStore(keyring.register);
      return { rewt: new Rewt({ ...times, ...options, store }), store };
    },
    async put({ value = '', expiresAtMs = 0 }, { text, expiresAtMs: ringEndMs = Date.now() + 1e8 }) {
      const { version } = await keyring.register.read('rewt', { timeoutMs: 1 });
      const wanted = { key: { value, expiresAtMs }, ring: { text, expiresAtMs: ringEndMs } };
      const limits = { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY };
      return (await keyring.register.swap('rewt', version, wanted, limits)).swapped;
    },
    async legacyToken() {
      await keyring.member().rewt.ready();
      const secret = (await keyring.register.read('rewt', { timeoutMs: 1 })).key?.value ?? '';
      const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'old' })}`;
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    },
  };
  beforeEach(() => {
    turnTime();
    keyring.register = memoryStore();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  return keyring;
}

/** A well-formed token of some other keyring. */
export const foreignToken = await new Rewt({ store: memoryStore() }).sign({ from: 'elsewhere' });
