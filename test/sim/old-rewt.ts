/** rewt 1.x-2.x as it was: GET, else SETEX a UUID, and HS256 with what is there. No kid, no exp. */

import { createRecord } from '../../src/stores/record.js';
import { hs256, type Token } from './calls.js';
import { BEGIN_MS } from './machine.js';
import type { Place } from './member.js';
import { Shown } from './shown.js';
import type { Times } from './written.js';

export class OldRewt {
  readonly name: string;
  readonly #place: Place;
  readonly #times: Times;
  readonly #shown: Shown;
  #made = 0;

  constructor(place: Place, name: string, times: Times) {
    this.name = name;
    this.#place = place;
    this.#times = times;
    this.#shown = new Shown(name, times);
    this.#shown.isOld = true;
  }

  sign(then: (token: Token) => void): void {
    const { agenda, random, server, ledger } = this.#place;
    agenda.after(random.between(0.1, 1), () => {
      if (server.state !== 'up') return;
      const found = server.read().key;
      if (found !== null) return this.#sign(found.value, agenda.nowMs, then);
      // Not one step: what another writes meanwhile is overwritten.
      agenda.after(random.between(0.2, 2), () => {
        if (server.state !== 'up' || server.writes !== 'taken') return;
        this.#made += 1;
        const value = `${this.name}-${String(this.#made).padStart(4, '0')}-`.padEnd(36, 'u');
        const expiresAtMs = server.nowMs() + this.#times.ttlMs;
        server.write(createRecord({ value, expiresAtMs }, server.record.ring), {
          shown: this.#shown,
          fault: 'old SETEX',
        });
        ledger.names.of(value);
        this.#sign(value, agenda.nowMs, then);
      });
    });
  }

  verify(token: Token): void {
    const { agenda, random, server, judge, ledger } = this.#place;
    agenda.after(random.between(0.1, 1), () => {
      const value = server.state === 'up' ? (server.read().key?.value ?? null) : null;
      if (value === null) return;
      const [header, payload, signature] = token.text.split('.') as [string, string, string];
      const isGood = hs256(value, `${header}.${payload}`) === signature;
      const exp: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString()).exp;
      if (typeof exp === 'number' && exp * 1_000 <= BEGIN_MS + agenda.nowMs) return;
      judge.oldVerified(this.name, token, isGood, ledger.fates.keySinceMs, agenda.nowMs);
    });
  }

  #sign(value: string | null, atMs: number, then: (token: Token) => void): void {
    if (value === null) return;
    const segment = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const iat = Math.floor((BEGIN_MS + atMs) / 1_000);
    const signedPart = `${segment({ alg: 'HS256', typ: 'JWT' })}.${segment({ n: 1, iat })}`;
    const lifetimeMs = this.#times.tokenLifetimeMs;
    this.#place.judge.trace?.(`  ${this.name} signs with ${this.#place.ledger.names.of(value)}`);
    const text = `${signedPart}.${hs256(value, signedPart)}`;
    then({
      text,
      isPromoted: false,
      isUnaware: false,
      signer: this.name,
      secret: value,
      hasKid: false,
      signedAtMs: atMs,
      knownAtMs: atMs,
      skewMs: 0,
      expMs: Number.POSITIVE_INFINITY,
      lifetimeMs,
      needsMs: lifetimeMs,
    });
  }
}
