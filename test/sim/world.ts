/** A server, a fleet and its traffic, on one agenda. */

import { sealedBy } from '../../src/seal/envelope.js';
import { Agenda } from './agenda.js';
import type { Token } from './calls.js';
import { Hostile } from './hostile.js';
import { Judge } from './judge.js';
import { Ledger } from './ledger.js';
import { forged, Member, type Place } from './member.js';
import { OldRewt } from './old-rewt.js';
import { Random } from './random.js';
import { Reader } from './reader.js';
import { reseal } from './reseal.js';
import type { Scenario } from './scenario.js';
import { keyBytes, keyIds } from './seals.js';
import { Server } from './server.js';
import { troubles } from './troubles.js';
import { FAIR, type Weather } from './weather.js';
import type { Times } from './written.js';

export class World implements Place {
  readonly agenda = new Agenda();
  readonly random: Random;
  /** Chance apart, for what members are like: a change there leaves all else as it was. */
  readonly #habits: Random;
  readonly judge: Judge;
  readonly ledger: Ledger;
  readonly server: Server;
  readonly scenario: Scenario;
  /** What this fleet was set up with; a mixed one has its variations. */
  readonly times: Times;
  members: Member[] = [];
  readonly old: OldRewt[] = [];
  readonly weather: Weather;
  /** Secrets that an operator has put there. */
  handmade = 0;
  #born = 0;
  /** Its members take plain rings, until they have read a sealed one. */
  readonly #migrates: boolean;
  /** Null: there is none, or it has gone. */
  #hostile: Hostile | null = null;
  /** Nothing befalls the fleet any more. */
  #isOver = false;
  #tokens: Token[] = [];

  constructor(scenario: Scenario, seed: number) {
    this.scenario = scenario;
    this.random = new Random(seed, scenario.name);
    this.#habits = new Random(seed, `members of ${scenario.name}`);
    this.judge = new Judge(this.agenda, scenario.hostile !== undefined);
    const reader = new Reader(scenario.sealed !== undefined);
    this.ledger = new Ledger(this.agenda, () => this.server.nowMs(), this.judge, reader);
    this.server = new Server(this.agenda, this.ledger);
    this.judge.sit(this.ledger, this.server);
    this.weather = { ...FAIR, ...scenario.weather?.(this.random) };
    this.times = scenario.times?.(this.random) ?? someTimes(this.random);
    this.#migrates = scenario.migrates !== undefined && this.#habits.chance(scenario.migrates);
  }

  async play(): Promise<void> {
    const { scenario, random, agenda } = this;
    const size = Math.round(random.between(...(scenario.members ?? [2, 5])));
    for (let count = 0; count < size; count += 1) this.join();
    for (let count = 0; count < (scenario.old ?? 0); count += 1)
      this.old.push(new OldRewt(this, `old${count + 1}`, this.times));
    this.judge.trace?.(JSON.stringify(this.times));
    const endMs = (scenario.turns ?? 3) * this.times.ttlMs;
    for (const [name, trouble] of Object.entries(troubles)) {
      const meanMs = scenario.troubles?.[name as keyof typeof troubles]?.(this) ?? this.#anyOften();
      if (meanMs < Number.POSITIVE_INFINITY) this.#recur(meanMs, () => this.#isOver || trouble(this));
    }
    this.#recur(scenario.everyMs?.(this) ?? 1_200, () => this.request());
    if (scenario.rushes ?? true) this.#awaitEnd(0);
    if (scenario.reseals !== undefined) this.#recur(scenario.reseals(this), () => reseal(this));
    this.#suffer();
    await agenda.playUntil(endMs);
    // What is under way may end.
    this.calm();
    await agenda.playUntil(endMs + 4 * this.times.storeTimeoutMs);
    if (this.#hostile !== null) await this.#recover();
    this.judge.counts.rotations = this.ledger.rotations;
    this.judge.counts.revocations = this.ledger.revocations;
  }

  join(): Member {
    const { random, scenario } = this;
    const habits = this.#habits;
    this.#born += 1;
    const hasSigner = this.members.some(({ signs }) => signs);
    const isGateway = hasSigner && scenario.gateways !== undefined && habits.chance(scenario.gateways);
    const first = this.#born === 1 ? scenario.first?.() : undefined;
    const isOther = scenario.mixed || isGateway || habits.chance(0.25);
    const varied = () => (isOther ? this.#vary(this.times, scenario.mixed ? random : habits) : this.times);
    const times = first ?? (isGateway ? gatewayTimes(this.times) : varied());
    const onlyReads = hasSigner && scenario.readers !== undefined && habits.chance(scenario.readers);
    const onlyVerifies = onlyReads || isGateway || (habits.chance(0.25) && hasSigner);
    const toleranceMs = this.times.clockToleranceMs;
    const member = new Member(this, `m${this.#born}`, times, {
      wallSkewMs: random.between(-toleranceMs / 2, toleranceMs / 2),
      push: random.chance(scenario.push ?? 0.5),
      signs: !onlyVerifies,
      onlyReads,
      weather: this.weather,
      seals: this.#seals(),
      migrates: this.#migrates,
    });
    this.ledger.clock.leastToleranceMs = Math.min(this.ledger.clock.leastToleranceMs, times.clockToleranceMs);
    this.members.push(member);
    const own = times === this.times ? '' : ` with ${JSON.stringify(times)}`;
    this.judge.trace?.(`${member.name} joins${onlyVerifies ? ', only verifies' : ''}${own}`);
    return member;
  }

  dismiss(member: Member): void {
    this.members = this.members.filter((other) => other !== member);
  }

  /** One token is made, and shown around for as long as it lives. */
  request(): void {
    const { random } = this;
    const signer = this.old.length > 0 && random.chance(0.3) ? random.pick(this.old) : random.pick(this.#signers());
    signer.sign((token) => {
      this.#tokens = [...this.#tokens.slice(-30), token];
      const lifeMs = token.lifetimeMs;
      for (const delayMs of [
        random.between(0, 50),
        random.between(0, lifeMs),
        random.between(lifeMs * 0.8, lifeMs * 1.02),
      ]) {
        this.agenda.after(delayMs, () => this.show(token));
      }
      if (random.chance(0.15)) this.agenda.after(random.between(lifeMs, 6 * lifeMs), () => this.show(token));
    });
  }

  show(token: Token): void {
    const { random } = this;
    if (this.old.length > 0 && random.chance(0.2)) {
      random.pick(this.old).verify(token);
      return;
    }
    const member = random.pick(this.members);
    member.verify(token);
    if (random.chance(0.03)) member.verify(forged(token, random.chance(0.5) ? 'kid' : 'signature'));
  }

  /** There is always one: the first that is left begins to sign if no other does. */
  #signers(): readonly Member[] {
    const signers = this.members.filter(({ signs }) => signs);
    const first = this.members.find(({ onlyReads }) => !onlyReads);
    if (signers.length > 0) return signers;
    // None is left that may write. Without a signer, the one that joins signs.
    if (first === undefined) return this.members.length > 0 ? [this.join()] : signers;
    first.signs = true;
    return [first];
  }

  /** Which seal keys the next member has; null: none is sealed here. */
  #seals(): readonly Buffer[] | null {
    const { sealed } = this.scenario;
    if (sealed !== 'under two keys') return sealed ? [keyBytes.old] : null;
    const both = [keyBytes.old, keyBytes.new];
    const choices = [[keyBytes.old], [keyBytes.old], both, both, both.toReversed()];
    // One without a key begins a plain ring in an empty store: it comes once there is a sealed one.
    return this.#habits.pick(this.agenda.nowMs > 10_000 ? [...choices, [], [keyBytes.new]] : choices);
  }

  /** A program without the seal key writes, and an operator mends what cannot be read. */
  #suffer(): void {
    const meanMs = this.scenario.hostile?.(this);
    if (meanMs === undefined) return;
    const hostile = new Hostile(this);
    this.#hostile = hostile;
    const whileItLasts = (run: () => void) => () => this.#hostile === hostile && run();
    this.#recur(
      meanMs,
      whileItLasts(() => hostile.act()),
    );
    this.#recur(
      15 * meanMs,
      whileItLasts(() => hostile.storm()),
    );
    this.#recur(
      4 * meanMs,
      whileItLasts(() => hostile.steal()),
    );
    this.#recur(
      meanMs / 4,
      whileItLasts(() => hostile.forge()),
    );
    this.#recur(meanMs, () => this.mend());
  }

  /** `rewt revoke --replace`, as the error of a member says. */
  mend(): void {
    const { record } = this.server;
    if (this.ledger.reader.entriesOf(record, this.server.nowMs()).odd !== 'unreadable') return;
    const text = record.ring?.text ?? '';
    // A flipped letter may make any digit of the version, and white space is none in JSON.
    const isNewer = /^rewt-sealed\.(?:[2-9]|[1-9]\d+)\./.test(text) || text.trim() === '{"v":2}';
    const keyId = sealedBy(text);
    const isUnknown = keyId !== null && keyId !== keyIds.old;
    this.random.pick(this.members).revoke(isNewer ? 'newer' : isUnknown ? 'sealed' : 'unreadable');
  }

  /** Once the writer is gone and its last ring replaced, all members go on as before. */
  async #recover(): Promise<void> {
    const { agenda, judge } = this;
    this.#hostile = null;
    this.#isOver = true;
    let missing = new Set<string>();
    for (let round = 0; round < 6; round += 1) {
      this.calm();
      agenda.after(0, () => this.mend());
      await agenda.playUntil(agenda.nowMs + 3_000);
      // One that may believe a plain ring goes on with the writer's.
      const judged = this.members.filter(({ shown }) => !shown.takesPlain);
      missing = new Set(judged.map(({ name }) => name));
      for (const member of this.members) {
        agenda.after(0, () =>
          member.sign((token) => {
            missing.delete(member.name);
            for (const other of this.members) other.verify(token);
          }),
        );
      }
    }
    await agenda.playUntil(agenda.nowMs + 3_000);
    for (const name of missing) judge.violation('outage', `${name} does not sign after the writer is gone`);
  }

  /** All at once, at the same instant: tokens of the last seconds at every member. */
  rush(): void {
    const tokens = this.#tokens.slice(-1);
    for (const member of this.members) {
      for (const token of tokens) member.verify(token);
      if (!member.signs) continue;
      member.sign((token) => this.agenda.after(this.random.between(0, token.lifetimeMs), () => this.show(token)));
    }
  }

  /** Whatever was broken is mended. */
  calm(): void {
    this.server.state = 'up';
    this.server.writes = 'taken';
    for (const { link, machine } of this.members) {
      link.heal();
      link.state = 'up';
      link.soundSinceMs = this.agenda.nowMs;
      machine.resume();
    }
    this.server.soundSinceMs = this.agenda.nowMs;
  }

  /** A server or link that changes its state has been in trouble until now. */
  troubled(what: { soundSinceMs: number }): void {
    what.soundSinceMs = this.agenda.nowMs;
  }

  #recur(meanMs: number, run: () => unknown): void {
    this.agenda.after(this.random.waiting(meanMs), () => {
      run();
      this.#recur(meanMs, run);
    });
  }

  /** Traffic where it is most delicate: around the end of each secret. */
  #awaitEnd(afterMs: number): void {
    this.agenda.after(afterMs, () => {
      const { key } = this.server.read();
      const leftMs = (key?.expiresAtMs ?? 0) - this.server.nowMs();
      const leadMs = this.times.softAgeMs + this.times.clockToleranceMs;
      if (leftMs > leadMs && leftMs < 3 * leadMs) {
        for (let count = 0; count < 2; count += 1) {
          this.agenda.after(leftMs - leadMs * this.random.pick([1, 1, 0, this.random.between(-0.2, 1.2)]), () =>
            this.rush(),
          );
        }
        this.#awaitEnd(leftMs + leadMs);
      } else this.#awaitEnd(leadMs);
    });
  }

  /** Where a scenario leaves it to chance what happens: most troubles hardly ever, some often. */
  #anyOften(): number {
    if (this.scenario.troubles !== undefined || this.random.chance(0.6)) return Number.POSITIVE_INFINITY;
    return this.times.ttlMs * this.random.pick([0.5, 1, 2, 4]);
  }

  #vary(times: Times, random: Random): Times {
    const ttlMs = times.ttlMs * random.pick([1, 1, 1.5]);
    return timesOf({
      ttlMs,
      maxStalenessMs: random.pick([0, 1_000, 4_000, times.maxStalenessMs, ttlMs / 2]),
      tokenLifetimeMs: random.pick([2_000, times.tokenLifetimeMs, 20_000]),
      clockToleranceMs: random.pick([times.clockToleranceMs, times.clockToleranceMs / 2]),
      storeTimeoutMs: times.storeTimeoutMs,
    });
  }
}

function gatewayTimes(times: Times): Times {
  return timesOf({ ...times, ttlMs: 86_400_000, maxStalenessMs: 7 * times.ttlMs });
}

export function timesOf(times: Omit<Times, 'softAgeMs'>): Times {
  return { ...times, softAgeMs: Math.min(2_000, times.maxStalenessMs / 2) };
}

/** What a fleet is set up with where its scenario leaves that to chance. */
export function someTimes(random: Random): Times {
  const ttlMs = random.pick([20_000, 30_000, 60_000]);
  const maxStalenessMs = random.chance(0.08) ? 0 : random.pick([1_000, 3_000, 6_000, ttlMs / 2]);
  return timesOf({
    ttlMs,
    maxStalenessMs,
    tokenLifetimeMs: random.pick([3_000, 5_000, 10_000]),
    clockToleranceMs: random.pick([500, 1_000, 2_000]),
    storeTimeoutMs: random.pick([200, 500, 1_000]),
  });
}
