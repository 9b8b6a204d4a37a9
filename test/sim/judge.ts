/**
 * What protocol.md promises of each answer, held against the ground truth. Every excuse it makes is
 * counted.
 */

import type { Agenda } from './agenda.js';
import type { Call, Counts, Judged, Token, Violation } from './calls.js';
import { untrue } from './claims.js';
import type { Ledger, Promised } from './ledger.js';
import { BEGIN_MS } from './machine.js';
import type { Server } from './server.js';
import type { Errand } from './shown.js';
import { holds, overlapOf, type Written } from './written.js';

/** Virtual timers have Node's coarseness. */
const COARSE_MS = 5;

/**
 * "Messages that bring no news are answered with at most ten reads a second": after two at
 * once, the next one comes this much later.
 */
const HEARD_LATER_MS = 205;

export class Judge {
  readonly counts: Counts = {
    operations: 0,
    accepted: 0,
    unavailable: 0,
    rotations: 0,
    revocations: 0,
    excused: {},
    violations: { lost: 0, late: 0, extra: 0, outage: 0, old: 0 },
  };
  readonly violations: Violation[] = [];
  trace: ((text: string) => void) | null = null;
  readonly #agenda: Agenda;
  /**
   * A program without the seal key writes to the store. It may revoke and stop members at any time,
   * so all that is left to judge is what they accept, and that each call has an answer.
   */
  readonly #isHostile: boolean;
  #ledger: Ledger | null = null;
  #server: Server | null = null;

  constructor(agenda: Agenda, isHostile = false) {
    this.#agenda = agenda;
    this.#isHostile = isHostile;
  }

  sit(ledger: Ledger, server: Server): void {
    this.#ledger = ledger;
    this.#server = server;
  }

  violation(promise: Promised, text: string): void {
    if (this.#isHostile && promise !== 'late' && promise !== 'outage') return;
    this.counts.violations[promise] += 1;
    this.violations.push({ promise, atMs: this.#agenda.nowMs, text });
    this.trace?.(`VIOLATION (${promise}) ${text}`);
  }

  /** A verify's answer: the refusal's code, or null where the token was accepted. */
  verified(call: Call, token: Token, code: string | null): void {
    this.#settled(call);
    if (code === null) {
      this.counts.accepted += 1;
      this.#accepted(call, token);
    } else if (isRefusal(code)) this.#refused(call, token, code);
    else this.#unavailable(call, code, token);
  }

  signed(call: Call, code: string | null): void {
    this.#settled(call);
    if (code === null) this.#looked(call.member);
    else this.#unavailable(call, code, null);
  }

  commanded(call: Call, errand: Errand, code: string | null): void {
    this.#settled(call);
    const { member, verb } = call;
    const what = untrue(errand, code, member.shown, this.#truth(), this.#agenda.nowMs);
    if (what !== null) this.violation(verb === 'revoke' ? 'late' : 'extra', `${verb}() of ${member.name} ${what}`);
    if (code !== null && code !== 'ERR_REWT_ROTATION_REFUSED') this.counts.unavailable += 1;
  }

  /** Old rewt verified with what `GET` gave it at `gotAtMs`. */
  oldVerified(name: string, token: Token, isAccepted: boolean, valueSinceMs: number, gotAtMs: number) {
    this.counts.operations += 1;
    if (isAccepted || token.secret === undefined) return;
    // Around a rotation: it knows no next and no retired. The signer's copy may be from before it.
    if (token.knownAtMs <= valueSinceMs) return this.#excuse('old rewt around a change');
    if (token.isPromoted) return this.#excuse('old rewt and a promotion without the store');
    if (this.#truth().fates.excuseFor(token.secret, token.signedAtMs, gotAtMs) !== null)
      return this.#excuse('old rewt after a revocation');
    this.violation('old', `${name} refuses a token of ${token.signer} by ${this.#truth().names.of(token.secret)}`);
  }

  #accepted(call: Call, token: Token) {
    const { member, fromMs } = call;
    const ledger = this.#truth();
    const { shown, times } = member;
    const nowMs = this.#agenda.nowMs;
    if (shown.takesPlain) return;
    this.#looked(member);
    if (token.secret === undefined) return this.violation('late', `${member.name} accepts a forgery`);
    const secret = ledger.names.of(token.secret);
    const goneMs = shown.taken.gone.get(token.secret);
    if (goneMs !== undefined && goneMs <= fromMs) {
      return this.violation(
        'late',
        `${member.name} accepts ${secret}, of which it saw the revocation at ${goneMs.toFixed(1)}`,
      );
    }
    if (shown.pendingSinceMs < fromMs)
      return this.violation('late', `${member.name} goes on although it has to revoke first`);
    if (this.#isHostile) return this.#acceptedBesideWriter(call, token.secret);
    const endMs = ledger.fates.endIn(token.secret, shown.newestMs);
    const overMs = endMs === undefined ? 0 : ledger.clock.nowMs() - endMs - COARSE_MS - (nowMs - fromMs);
    // A suspended machine whose wall clock was set back besides knows nothing of the time between.
    const unknownMs = nowMs - shown.newestMs - member.machine.elapsedMs(shown.newestMs);
    if (overMs > 0) {
      if (shown.newestMs <= ledger.clock.jumpedAtMs) return this.#excuse('clock jump');
      if (overMs <= unknownMs) return this.#excuse('suspended, and the wall clock set back');
      // Of how far the store's clock was put forward a copy knows nothing until the next read.
      if (overMs <= ledger.clock.putForwardMs(shown.newestMs, fromMs)) return this.#excuse('clock shift');
      // One that only verifies may be cut off for longer than the `overlap` that it knows.
      // It goes by what it last read, also if its own `revoke()` fails.
      const { newest } = shown;
      const isLonger = newest !== null && newest.ring.overlap < times.maxStalenessMs;
      const isYoung = isLonger && member.machine.ageMs(newest.sent) <= times.maxStalenessMs + COARSE_MS;
      if (!token.hasKid && isYoung && holds(newest.ring, token.secret, ledger.clock.nowMs() + COARSE_MS))
        return this.#excuse('retired early, unheard of');
      this.violation('late', `${member.name} accepts ${secret}, which ended ${overMs.toFixed(0)} ms ago`);
    }
    const revokedMs = ledger.fates.revocationOf(token.secret);
    if (revokedMs === null) return;
    const late = (why: string) =>
      this.violation(
        'late',
        `${member.name} accepts ${secret} ${(nowMs - revokedMs).toFixed(0)} ms after its revocation: ${why}`,
      );
    // By its own clocks.
    const ageMs = member.machine.elapsedMs(revokedMs);
    if (ageMs > times.maxStalenessMs + COARSE_MS && times.maxStalenessMs > 0) {
      // The age of a copy counts from its read: a clock that was set back between that and the
      // revocation hides it.
      const readMs = shown.good?.sent.atMs ?? shown.newestMs;
      const isHidden = readMs < revokedMs && member.machine.elapsedMs(readMs) <= times.maxStalenessMs + COARSE_MS;
      if (isHidden) return this.#excuse('suspended, and the wall clock set back');
      late('past maxStaleness');
    }
    if (times.maxStalenessMs === 0 && fromMs > revokedMs) late('strict');
    const wasSound = this.#isSound(member, revokedMs - times.storeTimeoutMs);
    const graceMs = 4 * member.link.weather.latencyMs[1] + COARSE_MS;
    if (wasSound && fromMs > revokedMs + times.softAgeMs + graceMs) late('it could have asked');
    const wasTold = shown.toldAtMs.some((toldMs) => toldMs >= revokedMs && fromMs > toldMs + HEARD_LATER_MS);
    if (wasSound && wasTold) late('it had been told');
  }

  /** Whatever a writer put back: what this member saw end stays so, and all ends some time. */
  #acceptedBesideWriter({ member, fromMs }: Call, secret: string): void {
    const { clock, names } = this.#truth();
    const storeMs = clock.nowMs() - (this.#agenda.nowMs - fromMs) - COARSE_MS;
    const name = names.of(secret);
    if (member.shown.hasSeenEnd(secret, storeMs)) {
      this.violation('late', `${member.name} accepts ${name}, which it saw come to its end`);
    }
    const overMs = storeMs - this.#truth().turns.lastMs(secret) - member.times.maxStalenessMs;
    if (overMs > 0)
      this.violation('late', `${member.name} accepts ${name}, ${overMs.toFixed(0)} ms after all of its turns`);
  }

  #refused({ member, fromMs }: Call, token: Token, code: string) {
    if (this.#isHostile) return;
    const ledger = this.#truth();
    const nowMs = this.#agenda.nowMs;
    const { shown, times } = member;
    const isTimes = code === 'ERR_REWT_EXPIRED' || code === 'ERR_REWT_NOT_ACTIVE' || code === 'ERR_REWT_TOO_OLD';
    // "The kid of a secret that this member saw revoked is refused at once."
    const kid = JSON.parse(Buffer.from(token.text.split('.', 1)[0] ?? '', 'base64url').toString()).kid ?? '';
    const named = ledger.names.secretOf(kid) ?? '';
    const isGone = [shown.gone, shown.mayBeGone, shown.doubted].some((some) => some.has(named));
    if (code === 'ERR_REWT_UNKNOWN_KEY' && isGone) {
      // "A member without a copy, because what it read last revokes and could not be written,
      // answers 503."
      if (shown.pendingSinceMs < fromMs) this.violation('outage', `${member.name} calls a key unknown without a copy`);
      return this.#excuse('seen revoked');
    }
    if (token.secret === undefined) {
      // Whatever it is: that its secret is unknown takes a look that began after it came.
      const hasLooked = shown.answers.some(({ sentAtMs, shownAtMs }) => sentAtMs >= fromMs && shownAtMs <= nowMs);
      if (code === 'ERR_REWT_UNKNOWN_KEY' && !hasLooked) {
        this.violation('outage', `${member.name} calls a key unknown without having asked`);
      }
      return;
    }
    const secret = ledger.names.of(token.secret);
    if (isTimes) {
      const isOver = member.machine.wallMs() >= token.expMs + times.clockToleranceMs - COARSE_MS;
      const isOwn = nowMs >= token.expMs - BEGIN_MS - token.skewMs || nowMs - token.signedAtMs >= token.lifetimeMs;
      if (isOver && isOwn) return;
      if (isOver && Math.abs(member.machine.wallSkewMs - token.skewMs) > times.clockToleranceMs)
        return this.#excuse('clock skew');
      return this.violation('lost', `${member.name} says ${code} of a token of ${token.signer} that lives`);
    }
    if (this.#isOver(token)) return;
    // A verifier counts the store's clock from when its read was sent, so one that is long on its
    // way there ends secrets sooner.
    const { sentAtMs = 0, executedAtMs = 0 } = shown.answers.at(-1) ?? {};
    const slowMs = executedAtMs - sentAtMs;
    const excuse = this.#excuseFor(token, token.secret, fromMs, slowMs);
    if (excuse !== null) return this.#excuse(excuse);
    if (ledger.fates.endedSoon(token.secret)) return this.#excuse('slow rotation');
    const tookMs = slowMs + ledger.fates.landedLateMs(token.secret);
    if (tookMs > times.clockToleranceMs && ledger.fates.isOverIn(token.secret, slowMs + COARSE_MS))
      return this.#excuse('slow read');
    const ageMs = nowMs - token.signedAtMs;
    this.violation(
      'lost',
      `${member.name} says ${code} of a token that ${token.signer} signed ${ageMs.toFixed(0)} ms ago ` +
        `with ${secret}: ${ledger.names.show(ledger.reader.entriesOf(this.#host().record, ledger.clock.nowMs()))}`,
    );
  }

  /** Whether a token has come to its end, by its own times or by its secret's. */
  #isOver({ secret = '', hasKid, signedAtMs, lifetimeMs }: Token): boolean {
    if (this.#agenda.nowMs - signedAtMs >= lifetimeMs) return true;
    // Without exp it lives as long as its secret, however short the tokens of this fleet live.
    return !hasKid && this.#truth().clock.nowMs() >= (this.#truth().fates.ends.get(secret) ?? 0) - COARSE_MS;
  }

  /**
   * `slowMs`: how long the member's read was on its way.
   * An end that a failover brought back grants no `clockTolerance` to what was signed since.
   */
  #excuseFor(token: Token, secret: string, fromMs: number, slowMs = 0): string | null {
    if (token.isUnaware) return 'suspended, and the wall clock set back';
    return this.#truth().fates.excuseFor(secret, fromMs, this.#agenda.nowMs + slowMs, token.needsMs);
  }

  #unavailable({ member, fromMs, verb, good }: Call, code: string, token: Token | null) {
    const ledger = this.#truth();
    this.counts.unavailable += 1;
    this.trace?.(`  ${member.name} ${verb}: ${code}`);
    if (code === 'ERR_REWT_STORE_CLOSED' || this.#isHostile) return;
    const { shown, times, machine } = member;
    const isRevoking = shown.errands.some(
      ({ verb, untilMs }) => verb === 'revoke' && untilMs >= fromMs - times.storeTimeoutMs,
    );
    if (isRevoking) return;
    const since = fromMs - 3 * times.storeTimeoutMs;
    const isCalm = ledger.revokedAtMs < since;
    if (isCalm && this.#isSound(member, since)) {
      this.violation('outage', `${member.name} cannot ${verb} (${code}), and nothing is wrong`);
      return;
    }
    // Taken away since, by something that has to be revoked first.
    const { newestRing } = shown;
    if (good === null || shown.good === null || newestRing === null || times.maxStalenessMs === 0) return;
    const ageMs = machine.ageMs(good.sent);
    // A wall clock that was set while the last read was under way makes that one the older copy.
    if (Math.max(ageMs, machine.ageMs(shown.good.sent)) >= times.maxStalenessMs - COARSE_MS) return;
    // A sign may be waiting for more overlap than the ring has.
    const grants = (ring: Written) => ring.ttl >= times.ttlMs && ring.overlap >= overlapOf(times);
    if (verb === 'sign' && !grants(newestRing)) return;
    let lacks = '';
    if (token !== null) {
      // What no member signed, a copy does not settle.
      if (token.secret === undefined || this.#isOver(token)) return;
      const { secret } = token;
      const isHeld = (ring: Written, backMs = 0) => holds(ring, secret, good.storeMs + ageMs + COARSE_MS - backMs);
      // A copy drops what had ended before the clock went back.
      if (this.#excuseFor(token, secret, fromMs) === 'clock jump') return this.#excuse('clock jump');
      if (!isHeld(good.ring) || !isHeld(newestRing)) {
        // A member cannot read of a failover what is under a key that it lacks.
        if (code === 'ERR_REWT_RING_SEALED' && ledger.lacksKey(shown, fromMs)) return;
        const slowMs = good.executedAtMs - good.sent.atMs;
        const excuse = this.#excuseFor(token, secret, fromMs, slowMs) ?? ledger.whyUnheard(token, secret, good);
        if (excuse !== null) return this.#excuse(excuse);
        // Of how far the store's clock was put back a copy knows nothing until the next read.
        const backMs = ledger.clock.setBackMs(shown.newestMs, shown.newestMs);
        if (isHeld(good.ring, backMs) && isHeld(newestRing, backMs)) return this.#excuse('clock shift');
        lacks = ` that lacks ${ledger.names.of(secret)}: ${ledger.names.show({ key: null, ring: good.ring })}`;
      }
    }
    this.violation('lost', `${member.name} cannot ${verb} (${code}) with a copy of ${ageMs.toFixed(0)} ms${lacks}`);
  }

  /** After each success: what the member goes on with holds nothing that it saw go. */
  #looked(member: Judged): void {
    const ledger = this.#truth();
    const keyring = member.rewt.status().keyring;
    if (keyring === null) return;
    const { shown } = member;
    for (const kid of [keyring.current.kid, keyring.next.kid, ...keyring.retired.map((retired) => retired.kid)]) {
      const secret = ledger.names.secretOf(kid);
      if (secret !== undefined && shown.taken.gone.has(secret)) {
        this.violation(
          'late',
          `${member.name} goes on with ${ledger.names.of(secret)}, of which it saw the revocation`,
        );
      }
    }
    const { lineage: id, epoch, revocation: rev } = keyring;
    if (shown.taken.epochs.isBehind({ id, epoch, ...(rev === null ? {} : { rev }) })) {
      this.violation('late', `${member.name} goes on without a revocation that it has seen`);
    }
  }

  #settled({ member, fromMs, awayMs, verb }: Call): void {
    this.counts.operations += 1;
    const tookMs = this.#agenda.nowMs - fromMs - (member.machine.awayMs() - awayMs);
    if (tookMs > member.times.storeTimeoutMs + COARSE_MS) {
      this.violation('outage', `${verb} of ${member.name} took ${tookMs.toFixed(0)} ms`);
    }
  }

  #isSound(member: Judged, sinceMs: number): boolean {
    const { link, machine } = member;
    const host = this.#host();
    return (
      machine.state === 'running' &&
      link.state === 'up' &&
      host.state === 'up' &&
      host.writes === 'taken' &&
      link.weather.latencyMs[1] <= member.times.storeTimeoutMs / 20 &&
      !this.#truth().lacksKey(member.shown, sinceMs) &&
      (member.shown.knowsSinceMs < sinceMs || !this.#truth().waitsForRing(sinceMs)) &&
      Math.max(link.soundSinceMs, host.soundSinceMs, member.bornAtMs, machine.backSinceMs) < sinceMs
    );
  }

  #excuse(why: string): void {
    this.counts.excused[why] = (this.counts.excused[why] ?? 0) + 1;
  }

  #truth(): Ledger {
    if (this.#ledger === null) throw new Error('no ledger');
    return this.#ledger;
  }

  #host(): Server {
    if (this.#server === null) throw new Error('no server');
    return this.#server;
  }
}

function isRefusal(code: string): boolean {
  return !code.startsWith('ERR_REWT_STORE') && !code.startsWith('ERR_REWT_RING');
}
