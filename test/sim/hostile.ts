/**
 * A program that can write to Redis, sees all that ever was in it, and has no seal key. What it
 * writes is a fault of the store for the members.
 */

import { randomBytes } from 'node:crypto';
import { kidOf } from '../../src/keyring/secret.js';
import { seal } from '../../src/seal/envelope.js';
import { createRecord, type StoreRecord } from '../../src/stores/record.js';
import { hs256, type Token } from './calls.js';
import { BEGIN_MS } from './machine.js';
import { keyIds, sealKeys } from './seals.js';
import type { World } from './world.js';

type Ring = StoreRecord['ring'];
type Key = StoreRecord['key'];

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';

export class Hostile {
  readonly #world: World;
  /** All that it saw, the newest last. */
  #seen: StoreRecord[] = [];
  /** Secrets that it made, and signs with. */
  readonly #own: string[] = [];
  /** Secrets that members made and one of them gave away. */
  readonly #stolen: string[] = [];
  /** It only wants to keep what signs now, and stops and revokes nothing. */
  readonly #isPatient: boolean;

  constructor(world: World) {
    this.#world = world;
    this.#isPatient = world.random.chance(0.3);
    world.server.ears.add(() => {
      this.#seen = [...this.#seen.slice(-300), world.server.record];
    });
  }

  /** Changes one thing, or puts a whole state back. */
  act(): void {
    const { random } = this.#world;
    const { key, ring } = this.#world.server.record;
    if (this.#isPatient) {
      this.#write('hostile EXPIRE', this.#moved(key), this.#moved(ring));
      return;
    }
    const [name, change] = random.pick([
      ['old ring', () => [key, this.#oldRing(ring)]],
      ['old ring', () => [key, this.#oldRing(ring)]],
      ['old ring with its K', () => this.#oldState()],
      ['old ring under its mark', () => this.#marked(this.#oldState())],
      ['cut ring', () => [key, this.#withText(ring, (text) => text.slice(0, random.between(0, text.length)))]],
      ['flipped letter', () => [key, this.#withText(ring, (text) => this.#flipped(text))]],
      ['spliced ring', () => [key, this.#withText(ring, (text) => this.#spliced(text))]],
      ['ring of another namespace', () => [key, this.#foreign()]],
      ['plain ring', () => [key, this.#plain()]],
      ['plain ring with its K', () => this.#plainWithKey()],
      ['plain ring with its K', () => this.#plainWithKey()],
      ['no ring of rewt', () => [key, this.#withText(ring, () => this.#junk())]],
      ['value in K', () => [this.#value(), ring]],
      ['value in K', () => [this.#value(), ring]],
      ['EXPIRE K', () => [this.#moved(key), ring]],
      ['EXPIRE K', () => [this.#moved(key), ring]],
      ['EXPIRE R', () => [key, this.#moved(ring)]],
      ['DEL K', () => [null, ring]],
      ['DEL R', () => [key, null]],
      ['DEL both', () => [null, null]],
    ] as readonly (readonly [string, () => readonly [Key, Ring]])[]);
    this.#write(`hostile ${name}`, ...change());
    // Its newest secret, for those that took the ring.
    if (name.startsWith('plain') || name.endsWith('namespace'))
      for (const ms of [3, 30]) this.#world.agenda.after(ms, () => this.forge(2));
  }

  /** One after the other, within seconds. */
  storm(): void {
    const { random, agenda } = this.#world;
    for (let count = 0; count < 10; count += 1) agenda.after(random.between(0, 2_000), () => this.act());
  }

  /** A member's memory is read, once: secrets, and not the seal key. */
  steal(): void {
    const ring = this.#world.ledger.reader.ringIn(this.#world.server.record);
    if (ring !== null) this.#stolen.push(ring.current.secret, ring.next.secret);
  }

  /** Signs with what it has, and shows the token to a member. */
  forge(newest = 8): void {
    const { random, agenda, times, members } = this.#world;
    const isOwn = newest < 8 || this.#stolen.length === 0 || random.chance(0.5);
    const secret = isOwn ? this.#ownSecret(newest === 8 && random.chance(0.3), newest) : random.pick(this.#stolen);
    const kid = random.chance(0.7) ? { kid: kidOf(secret) } : {};
    const segment = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const iat = Math.floor((BEGIN_MS + agenda.nowMs) / 1_000);
    const lifetimeMs = times.tokenLifetimeMs;
    const claims = { n: 1, iat, exp: iat + lifetimeMs / 1_000 };
    const signedPart = `${segment({ alg: 'HS256', typ: 'JWT', ...kid })}.${segment(claims)}`;
    const token: Token = {
      text: `${signedPart}.${hs256(secret, signedPart)}`,
      signer: 'the hostile writer',
      secret: isOwn ? undefined : secret,
      hasKid: 'kid' in kid,
      isPromoted: false,
      isUnaware: false,
      signedAtMs: agenda.nowMs,
      knownAtMs: agenda.nowMs,
      skewMs: 0,
      expMs: (iat + lifetimeMs / 1_000) * 1_000,
      lifetimeMs,
      needsMs: lifetimeMs,
    };
    for (const member of members) if (random.chance(0.6)) member.verify(token);
  }

  #write(name: string, key: Key, ring: Ring): void {
    const { server, judge } = this.#world;
    const changed = createRecord(key, ring);
    if (changed.digest === server.record.digest) return;
    judge.trace?.(name);
    server.write(changed, { fault: name });
  }

  #oldState(): readonly [Key, Ring] {
    const { key, ring } = this.#past();
    return [this.#moved(key), this.#lasting(ring)];
  }

  #oldRing(now: Ring): Ring {
    return this.#lasting(this.#past().ring ?? now);
  }

  /** An old ring, and K as it would stand for its current: by a mark that was there beside it. */
  #marked([key, ring]: readonly [Key, Ring]): readonly [Key, Ring] {
    const beside = this.#seen.find((record) => record.ring?.text === ring?.text && record.key !== null);
    return [this.#moved(beside?.key ?? key), ring];
  }

  #past(): StoreRecord {
    const { random } = this.#world;
    const recent = this.#seen.slice(-random.pick([3, 10, 300]));
    return recent.length === 0 ? createRecord(null, null) : random.pick(recent);
  }

  /** For as long as it likes. */
  #lasting(ring: Ring): Ring {
    return ring && { ...ring, expiresAtMs: this.#world.random.chance(0.7) ? null : ring.expiresAtMs };
  }

  #moved<Entry extends { readonly expiresAtMs: number | null }>(entry: Entry | null): Entry | null {
    const { random, server, times } = this.#world;
    const short = this.#isPatient ? [] : [50, 0.3 * times.ttlMs];
    const ms = random.pick([...short, 1.5 * times.ttlMs, 5 * times.ttlMs, 100 * times.ttlMs]);
    const expiresAtMs = random.chance(0.2) ? null : Math.floor(server.nowMs() + ms);
    return entry && { ...entry, expiresAtMs };
  }

  #withText(ring: Ring, change: (text: string) => string): Ring {
    return ring && { ...ring, text: change(ring.text) };
  }

  #flipped(text: string): string {
    const { random } = this.#world;
    const at = Math.floor(random.between(0, text.length));
    const letters = [...LETTERS].filter((letter) => letter !== text[at]);
    return text.slice(0, at) + random.pick(letters) + text.slice(at + 1);
  }

  /** Begins as one envelope and goes on as another. */
  #spliced(text: string): string {
    const other = this.#past().ring?.text ?? text;
    const at = this.#world.random.pick([26, 47, 63, Math.floor(this.#world.random.between(0, text.length))]);
    return other.slice(0, at) + text.slice(at);
  }

  /** What a fleet with the same seal key wrote elsewhere. */
  #foreign(): Ring {
    const key = sealKeys.get(keyIds.old);
    const { server, random } = this.#world;
    if (key === undefined) throw new Error('the fleet has no such key');
    const text = this.#ringText(this.#ownSecret(true), this.#ownSecret(true));
    const elsewhere = random.pick(['other:rewt-secret', 'rewt:rewt-secre', 'prefix:rewt:rewt-secret', '']);
    return { text: seal(text, key, elsewhere, randomBytes), expiresAtMs: server.nowMs() + 1e9 };
  }

  #plain(): Ring {
    return { text: this.#ringText(this.#ownSecret(true), this.#ownSecret(true)), expiresAtMs: null };
  }

  #plainWithKey(): readonly [Key, Ring] {
    const secret = this.#ownSecret(true);
    const isMarked = this.#world.random.chance(0.5);
    const key = { value: isMarked ? `rewt-kid.${kidOf(secret)}` : secret, expiresAtMs: null };
    return [this.#moved(key), { text: this.#ringText(secret, this.#ownSecret(true)), expiresAtMs: null }];
  }

  /** As good as it can be made: with the names that a ring of this fleet had, if one leaked. */
  #ringText(current: string, next: string): string {
    const { random, server, times, ledger } = this.#world;
    const leaked = random.chance(0.5) ? ledger.reader.ringIn(this.#past()) : null;
    const nowMs = server.nowMs();
    const ring = {
      ...(leaked ?? { id: 'made up', epoch: 0, gen: 1, ttl: times.ttlMs, overlap: times.ttlMs }),
      ...{ v: 1, op: `${random.next()}`, epoch: (leaked?.epoch ?? 0) + random.pick([0, 0, 1, 5]) },
      ...{ gen: (leaked?.gen ?? 0) + random.pick([0, 1, 1_000]), retired: [] },
      current: { secret: current, expiresAt: Math.floor(nowMs + random.pick([0.5, 1, 50]) * times.ttlMs) },
      next: { secret: next, since: Math.floor(nowMs) },
    };
    return JSON.stringify(ring);
  }

  #junk(): string {
    const { random } = this.#world;
    const { text } = this.#past().ring ?? { text: '' };
    return random.pick([
      '',
      '{}',
      '{"v":2}',
      'null',
      'rewt-sealed.',
      'rewt-sealed.2.AAAAAAAAAAA.AAAA',
      `${text}A`,
      ` ${text}`,
    ]);
  }

  #value(): Key {
    const { random } = this.#world;
    const value = random.pick([
      () => this.#ownSecret(true),
      () => `rewt-kid.${kidOf(this.#ownSecret(true))}`,
      () => 'rewt-kid.',
      () => 'short',
      () => null,
      () => this.#past().key?.value ?? 'short',
      () => this.#past().key?.value ?? 'short',
      () => (this.#stolen.length === 0 ? 'short' : random.pick(this.#stolen)),
    ])();
    return this.#moved({ value, expiresAtMs: null });
  }

  #ownSecret(isFresh: boolean, newest = 8): string {
    const last = this.#own.at(-1);
    if (!isFresh && last !== undefined) return this.#world.random.pick(this.#own.slice(-newest));
    const secret = `the writer's secret, number ${this.#own.length + 1} `.padEnd(40, '.');
    this.#own.push(secret);
    return secret;
  }
}
