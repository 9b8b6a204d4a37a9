/** One process with the real Rewt in it, and what is known of it from outside. */

import { isRewtError } from '../../src/errors.js';
import { SET_TIMES } from '../../src/keyring/set-times.js';
import { Rewt } from '../../src/rewt.js';
import { SealKey } from '../../src/seal/seal-key.js';
import { CLOCK } from '../../src/time/clock.js';
import type { Agenda } from './agenda.js';
import { type Call, hs256, type Token } from './calls.js';
import type { Judge } from './judge.js';
import type { Ledger } from './ledger.js';
import { Link } from './link.js';
import { Machine } from './machine.js';
import type { Random } from './random.js';
import type { Server } from './server.js';
import { type Errand, isPromotion, Shown } from './shown.js';
import type { Weather } from './weather.js';
import { overlapOf, type Times } from './written.js';

export interface Place {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly server: Server;
  readonly ledger: Ledger;
  readonly judge: Judge;
}

export class Member {
  readonly name: string;
  readonly times: Times;
  readonly machine: Machine;
  readonly shown: Shown;
  readonly link: Link;
  readonly rewt: Rewt;
  readonly bornAtMs: number;
  /** One that does not only verifies. */
  signs: boolean;
  /** It may not write, and rotates and revokes nothing. */
  readonly onlyReads: boolean;
  readonly #place: Place;

  constructor(
    place: Place,
    name: string,
    times: Times,
    habits: {
      readonly wallSkewMs: number;
      readonly push: boolean;
      readonly signs: boolean;
      readonly onlyReads: boolean;
      readonly weather: Weather;
      readonly seals: readonly Buffer[] | null;
      readonly migrates: boolean;
    },
  ) {
    this.#place = place;
    this.name = name;
    this.times = times;
    this.signs = habits.signs;
    this.onlyReads = habits.onlyReads;
    this.bornAtMs = place.agenda.nowMs;
    this.machine = new Machine(place.agenda, place.random, habits.wallSkewMs);
    const keyIds = habits.seals === null ? null : habits.seals.map((bytes) => new SealKey(bytes).id);
    this.shown = new Shown(name, times, keyIds);
    this.shown.migrates = habits.migrates;
    this.link = new Link(place, this.machine, { shown: this.shown }, habits.weather, habits.push);
    this.rewt = new Rewt({
      store: this.link,
      readOnly: habits.onlyReads,
      ttl: times.ttlMs / 1_000,
      tokenLifetime: times.tokenLifetimeMs / 1_000,
      maxStaleness: times.maxStalenessMs / 1_000,
      clockTolerance: times.clockToleranceMs / 1_000,
      storeTimeout: times.storeTimeoutMs / 1_000,
      ...(habits.seals?.length ? { sealKey: habits.seals } : {}),
      ...(habits.migrates ? { sealing: 'migrate' as const } : {}),
      ...({ [CLOCK]: this.machine } as object),
    });
  }

  sign(then: (token: Token) => void): void {
    this.#request('sign', async (call) => {
      this.shown.hasSigned = true;
      const wallMs = this.machine.wallMs();
      const skewMs = this.machine.wallSkewMs;
      const [text, code] = await outcome(this.rewt.sign({ n: 1 }));
      if (!this.shown.isAlive) return;
      this.#place.judge.signed(call, code);
      if (text === null) return;
      const { kid } = JSON.parse(Buffer.from(text.slice(0, text.indexOf('.')), 'base64url').toString());
      const secret = this.#place.ledger.names.secretOf(kid);
      if (secret === undefined && (this.shown.takesPlain || this.shown.isKeyless)) return;
      if (secret === undefined) throw new Error('signed with a secret that never was in the store');
      this.#place.judge.trace?.(`  ${this.name} signs with ${this.#place.ledger.names.of(secret)}`);
      const lifetimeMs = this.times.tokenLifetimeMs;
      const expMs = Math.floor(wallMs / 1_000) * 1_000 + lifetimeMs;
      const signedAtMs = this.#place.agenda.nowMs;
      const isUnaware = signedAtMs - this.shown.newestMs - this.machine.elapsedMs(this.shown.newestMs) > 5;
      const knownAtMs = this.shown.good?.sent.atMs ?? 0;
      const isPromoted = isPromotion(secret, this.machine, [call.good, this.shown.good, this.shown.newest]);
      then({
        text,
        isPromoted,
        isUnaware,
        signer: this.name,
        secret,
        hasKid: true,
        signedAtMs,
        knownAtMs,
        skewMs,
        expMs,
        lifetimeMs,
        needsMs: overlapOf(this.times),
      });
    });
  }

  verify(token: Token): void {
    this.#request('verify', async (call) => {
      const [, code] = await outcome(this.rewt.verify(token.text));
      if (this.shown.isAlive) this.#place.judge.verified(call, token, code);
    });
  }

  rotate(force: boolean): void {
    this.#command('rotate', force, () => this.rewt.rotate({ force }));
  }

  /** `replace`: what is in place of a ring that can be read. */
  revoke(replace?: 'unreadable' | 'newer' | 'sealed'): void {
    this.#command('revoke', false, () => this.rewt.revoke(replace === undefined ? {} : { replace }));
  }

  /** Milliseconds. */
  set(ttlMs: number, overlapMs: number): void {
    this.#command('set', false, () => this.rewt[SET_TIMES]({ ttl: ttlMs / 1_000, overlap: overlapMs / 1_000 }));
  }

  crash(): void {
    this.shown.isAlive = false;
    this.machine.kill();
  }

  async leave(): Promise<void> {
    this.shown.isAlive = false;
    await this.rewt.close();
    this.machine.kill();
  }

  #command(verb: Errand['verb'], force: boolean, run: () => Promise<unknown>): void {
    if (this.onlyReads) return;
    this.#request(verb, async (call) => {
      // It left while its process stood still, and refuses the command without sending anything.
      if (!this.shown.isAlive) return;
      const { agenda, judge, ledger } = this.#place;
      const errand: Errand = {
        verb,
        force,
        fromMs: agenda.nowMs,
        untilMs: Number.POSITIVE_INFINITY,
        sent: 0,
        hasRevoked: false,
        renewal: null,
      };
      this.shown.errands.push(errand);
      // Whether its own revocation happened it cannot know before it has read again.
      if (verb === 'revoke') this.shown.good = null;
      judge.trace?.(`${this.name} ${verb}()`);
      this.shown.calling = errand;
      const running = run();
      this.shown.calling = null;
      const [, code] = await outcome(running);
      if (errand.sent === 0 && code !== 'ERR_REWT_OPTION') throw new Error('a command that sends nothing of its own');
      ledger.showings.concluded(this.shown, errand, code);
      // A swap that was given up, or sent twice, may land as long as its "not after" allows.
      const awayMs = this.machine.awayMs() - call.awayMs;
      errand.untilMs = errand.fromMs + this.times.storeTimeoutMs + awayMs + 10;
      judge.trace?.(`${this.name} ${verb}(): ${code ?? 'done'}`);
      if (this.shown.isAlive) judge.commanded(call, errand, code);
    });
  }

  /** A request of a client: it waits where the process does not run. */
  #request(verb: Call['verb'], run: (call: Call) => Promise<void>): void {
    this.machine.deliver(() => {
      const { agenda } = this.#place;
      run({ member: this, fromMs: agenda.nowMs, awayMs: this.machine.awayMs(), verb, good: this.shown.good }).catch(
        (error) => {
          this.#place.judge.violation(
            'outage',
            `the simulation itself failed: ${error instanceof Error ? error.stack : error}`,
          );
        },
      );
    });
  }
}

/** What came of a call: its result, or the code of the error. */
async function outcome<T>(work: Promise<T>): Promise<[T, null] | [null, string]> {
  try {
    return [await work, null];
  } catch (error) {
    if (isRewtError(error)) return [null, error.code];
    throw error;
  }
}

/** Flips a bit of the signature, or names a key that never was. */
export function forged(token: Token, how: 'signature' | 'kid'): Token {
  const [header, payload, signature] = token.text.split('.') as [string, string, string];
  if (how === 'signature') {
    const last = signature.startsWith('A') ? 'B' : 'A';
    return {
      ...token,
      secret: undefined,
      text: `${header}.${payload}.${last}${signature.slice(1)}`,
    };
  }
  const other = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT', kid: 'AAAAAAAAAAA' })).toString('base64url');
  return { ...token, secret: undefined, text: `${other}.${payload}.${hs256('x'.repeat(32), `${other}.${payload}`)}` };
}
