/**
 * The judge of the simulation and what a store loses, or a clock: an excuse ends where the page's
 * reason does.
 */
import { describe, expect, it } from 'vitest';
import { begun, Court, opened, rotated } from './court.js';

const unknown = 'ERR_REWT_UNKNOWN_KEY';
const timeout = 'ERR_REWT_STORE_TIMEOUT';
const revoked = {
  key: { secret: 'five', endS: 160 },
  ring: { epoch: 1, current: 'five', endS: 160, next: 'six' },
};

describe('a failover that lost a later end', () => {
  it.each([
    { readS: 61, accusations: ['late'] },
    { readS: 59.5, accusations: [] },
  ])('excuses who read that before: a copy of $readS s', ({ readS, accusations }) => {
    const { court, member } = opened();
    const other = court.member('m2');
    court.at(58).writes(other, rotated);
    const token = court.token('one');
    court.at(59).writes(other, { ring: { ...rotated.ring, retired: [{ secret: 'one', untilS: 90 }] } });
    if (readS < 60) court.at(readS).answers(member);
    court.at(60).server.loseWrites(1);
    if (readS > 60) court.at(readS).answers(member);
    court.at(85).verified(member, token, null);
    expect(court.accusations).toEqual(accusations);
  });
});

describe('a failover that lost a revocation', () => {
  it('excuses no refusal of what it brought back, at a member that saw none of it', () => {
    const { court, member } = opened();
    const other = court.member('m2');
    court.at(20).calls(other, 'revoke');
    court.writes(other, revoked);
    court.at(22).server.loseWrites(1);
    const token = court.at(24).token('one');
    court.answers(member);
    court.verified(member, token, unknown);
    expect(court.accusations).toEqual(['lost']);
  });

  it('excuses the refusal of what it took out', () => {
    const { court, member } = opened();
    const other = court.member('m2');
    court.at(20).calls(other, 'revoke');
    court.writes(other, revoked);
    const token = court.at(21).token('five');
    court.at(22).server.loseWrites(1);
    court.at(24).answers(member);
    court.verified(member, token, unknown);
    expect(court.accusations).toEqual([]);
  });

  it('is none if the ring was only lost and written back', () => {
    const { court, member } = opened();
    court.at(20).writes('evict R', { ring: null });
    court.writes(member, { ring: begun.ring });
    court.at(58).writes(member, rotated);
    const token = court.at(59).token('three');
    court.server.loseWrites(3);
    court.verified(member, token, unknown);
    expect(court.accusations).toEqual(['lost']);
  });
});

describe('a failover to another master', () => {
  it.each([
    { atS: 77, accusations: ['lost'] },
    { atS: 79, accusations: [] },
  ])('excuses the refusal of a secret from the end on that it has there (78 s, at $atS s)', ({ atS, accusations }) => {
    const { court, member } = opened();
    court.at(58).writes(member, rotated);
    court.at(59).server.loseWrites(1);
    const token = court.at(76).token('one');
    court.server.otherMaster();
    court.at(atS).verified(member, token, unknown);
    expect(court.accusations).toEqual(accusations);
  });

  it.each([
    { untilS: 78, accusations: [] },
    { untilS: 90, accusations: ['lost'] },
  ])('excuses no less once the ring was lost and written back with the same end ($untilS s)', (row) => {
    const { court, member } = opened();
    court.at(58).writes(member, rotated);
    court.at(59).server.loseWrites(1);
    const token = court.at(76).token('one');
    court.server.otherMaster();
    court.at(76.1).writes('evict R', { ring: null });
    court.writes(member, { ring: { ...rotated.ring, retired: [{ secret: 'one', untilS: row.untilS }] } });
    court.at(79).verified(member, token, unknown);
    expect(court.accusations).toEqual(row.accusations);
  });

  it.each([
    { code: unknown, readS: 77.7, slowMs: 400, accusations: [], excuses: { 'failover to another master': 1 } },
    { code: unknown, readS: 77.7, slowMs: 200, accusations: ['lost'], excuses: {} },
    { code: timeout, readS: 76.5, slowMs: 400, accusations: [], excuses: { 'failover to another master': 1 } },
    { code: timeout, readS: 76.5, slowMs: 200, accusations: ['lost'], excuses: {} },
  ])('gives an end that a slow read brings nearer: at 77.7 s, after a read of $slowMs ms, $code', (row) => {
    const { court, member } = opened();
    court.at(58).writes(member, rotated);
    court.at(59).server.loseWrites(1);
    const token = court.at(76).token('one');
    court.server.otherMaster();
    court.at(row.readS).answers(member, { sentS: row.readS - row.slowMs / 1_000 });
    if (row.code === timeout) member.link.state = 'silent';
    court.at(77.7).verified(member, token, row.code);
    expect(court.accusations).toEqual(row.accusations);
    expect(court.excuses).toEqual(row.excuses);
  });
});

describe('a lost grant of a larger overlap', () => {
  it.each([
    { lifetimeMs: 25_000, accusations: [] },
    { lifetimeMs: 9_000, accusations: ['lost'] },
  ])('excuses the refusal of tokens that needed it alone ($lifetimeMs ms)', ({ lifetimeMs, accusations }) => {
    const { court, member } = opened();
    court.at(10).writes(court.member('m2'), { ring: { ...begun.ring, overlapS: 40 } });
    const token = court.at(11).token('one', { lifetimeMs });
    court.server.loseWrites(1);
    court.at(12).verified(member, token, unknown);
    expect(court.accusations).toEqual(accusations);
  });
});

describe('a copy that was read before a failover', () => {
  it.each([
    { readS: 59.5, accusations: [] },
    { readS: 60.5, accusations: ['late'] },
  ])('has the end that a secret had until then (60 s, read at $readS s)', ({ readS, accusations }) => {
    const { court, member } = opened();
    court.at(58).writes(member, rotated);
    court.at(59).server.loseWrites(1);
    court.at(Math.min(readS, 60)).answers(member);
    const token = court.at(60).token('one');
    court.server.otherMaster();
    court.at(60.1).writes('EXPIRE', { key: { secret: 'two', endS: 117 } });
    if (readS > 60) court.at(readS).answers(member);
    court.at(79).verified(member, token, null);
    expect(court.accusations).toEqual(accusations);
  });
});

describe('a copy that lacks what a failover brought back', () => {
  it.each([
    { what: 'while that was gone', readS: 21, accusations: [], excuses: { 'revoke(), unheard of': 1 } },
    // At an instant that BEGIN_MS makes a double round up.
    { what: 'by the write itself', readS: 20.000_05, accusations: [], excuses: { 'revoke(), unheard of': 1 } },
    { what: 'before it was', readS: 19, accusations: ['lost'], excuses: {} },
    { what: 'when it was back', readS: 23, accusations: ['lost'], excuses: {} },
  ])('is excused if it was read $what', ({ readS, accusations, excuses }) => {
    const { court } = opened();
    const member = court.member('m2');
    const other = court.member('m3');
    const reads = (fromS: number, toS: number) => {
      if (fromS <= readS && readS < toS) court.at(readS).answers(member);
    };
    reads(1, 20);
    court.at(20.000_05).calls(other, 'revoke');
    court.writes(other, revoked);
    reads(20, 22);
    court.at(22).server.loseWrites(1);
    reads(22, 24);
    member.link.state = 'silent';
    court.at(24).verified(member, court.token('one', { hasKid: false }), timeout);
    expect(court.accusations).toEqual(accusations);
    expect(court.excuses).toEqual(excuses);
  });
});

describe('a copy that lacks what was there when it was read', () => {
  it('is accused, whatever a failover took out and brought back since', () => {
    const { court, member } = opened();
    const { record } = court.server;
    const other = court.member('m2');
    court.at(20).calls(other, 'revoke');
    court.writes(other, revoked);
    court.at(20.5).answers(member, { record });
    court.at(21).server.loseWrites(1);
    court.at(22).server.otherMaster();
    member.link.state = 'silent';
    court.at(24).verified(member, court.token('six'), timeout);
    expect(court.accusations).toEqual(['lost']);
  });
});

describe('a lineage that was begun with what K still held', () => {
  it.each([
    {
      what: 'before that',
      begunS: 100,
      readS: 95,
      accusations: [],
      excuses: { 'store came back without a ring, unheard of': 1 },
    },
    { what: 'after it', begunS: 100, readS: 105, accusations: ['lost'], excuses: {} },
    { what: 'before that, with most of its TTL left', begunS: 65, readS: 60, accusations: ['lost'], excuses: {} },
  ])('excuses a copy that lacks the secret which follows soon, if it was read $what', (row) => {
    const { court } = opened();
    const member = court.member('m2', { maxStalenessMs: 60_000 });
    const writer = court.member('m3');
    const other = {
      key: rotated.key,
      ring: { id: 'other', current: 'two', endS: 118, next: 'six', sinceS: row.begunS },
    };
    court.at(58).writes(writer, rotated);
    if (row.readS < row.begunS) court.at(row.readS).answers(member);
    court.at(row.begunS).writes('evict R', { ring: null });
    court.writes(writer, other);
    if (row.readS > row.begunS) court.at(row.readS).answers(member);
    court.at(117).writes(writer, {
      key: { secret: 'six', endS: 177 },
      ring: { ...other.ring, current: 'six', endS: 177, next: 'seven', retired: [{ secret: 'two', untilS: 137 }] },
    });
    member.link.state = 'silent';
    court.at(118).verified(member, court.token('six'), timeout);
    expect(court.accusations).toEqual(row.accusations);
    expect(court.excuses).toEqual(row.excuses);
  });
});

describe("a jump of the store's clock", () => {
  it.each([
    { what: 'before that', readS: 20, atS: 85, accusations: [], excuses: { 'clock shift': 1 } },
    { what: 'after it', readS: 31, atS: 85, accusations: ['lost'], excuses: {} },
    { what: 'after it', readS: 31, atS: 115, accusations: ['lost'], excuses: {} },
  ])('back excuses a copy in which a secret has ended, if it was read $what ($atS s)', (row) => {
    const { readS, atS, accusations, excuses } = row;
    const { court } = opened();
    const member = court.member('m2', { maxStalenessMs: 100_000 });
    court.at(20).answers(member);
    court.at(30).server.jump(-30_000);
    if (readS > 30) court.at(readS).answers(member);
    member.link.state = 'silent';
    court.at(atS).verified(member, court.token('one'), timeout);
    expect(court.accusations).toEqual(accusations);
    expect(court.excuses).toEqual(excuses);
  });

  it.each([
    { what: 'the current secret', secret: 'two', accusations: ['lost'] },
    { what: 'a retired one', secret: 'one', accusations: [] },
  ])('excuses the refusal of what it ended, and of nothing else: $what', ({ secret, accusations }) => {
    const court = new Court();
    court.ledger.clock.leastToleranceMs = 1_000;
    const member = court.member('m1');
    court.writes(member, begun);
    court.at(58).writes(member, rotated);
    const token = court.at(60).token(secret);
    court.server.jump(17_000);
    court.at(62).answers(member);
    court.verified(member, token, unknown);
    expect(court.accusations).toEqual(accusations);
  });

  it('explains no revocation', () => {
    const { court, member } = opened();
    court.ledger.clock.leastToleranceMs = 1_000;
    court.at(20).server.jump(10_000);
    court.at(21).writes(member, revoked);
    expect(court.accusations).toEqual(['extra']);
  });

  it('lets a member accept what has ended only until it has read again', () => {
    for (const [readS, accusations] of [[60, []] as const, [61.5, ['late']] as const]) {
      const court = new Court();
      court.ledger.clock.leastToleranceMs = 1_000;
      const member = court.member('m1');
      court.writes(member, begun);
      court.at(58).writes(member, rotated);
      const token = court.at(59).token('one', { hasKid: false });
      court.at(Math.min(readS, 60)).answers(member);
      court.at(61).server.jump(20_000);
      if (readS > 61) court.at(readS).answers(member);
      court.at(62).verified(member, token, null);
      expect(court.accusations).toEqual(accusations);
    }
  });
});

describe('a ring', () => {
  it('is accused where the store drops it before what is in it has ended', () => {
    const { court, member } = opened();
    court.at(58).writes(member, { ...rotated, ring: { ...rotated.ring, goneS: 118 } });
    expect(court.accusations).toEqual(['lost']);
  });
});

describe('an EXPIRE', () => {
  it('is no brake if one of the members that read it can write', () => {
    const { court, member } = opened();
    const other = court.member('m2');
    court.at(10).writes('EXPIRE', { key: { secret: 'one', endS: 30 } });
    court.answers(member);
    court.answers(other);
    court.ledger.unwritten(court.server.record, other.shown);
    court.at(31).writes(member, revoked);
    expect(court.accusations).toEqual(['extra']);
  });

  it('that was read in time is no brake, though it was read again when it was too late', () => {
    const { court, member } = opened();
    const other = court.member('m2');
    court.at(20).writes('EXPIRE', { key: { secret: 'one', endS: 30 } });
    court.answers(other);
    court.at(29).answers(other);
    court.at(30.1).writes(member, revoked);
    expect(court.accusations).toEqual(['extra']);
  });

  it.each([
    { jumpS: 20.1, accusations: [] },
    { jumpS: 23, accusations: ['extra'] },
  ])("that was read is a brake if the store's clock brought its end too soon after ($jumpS s)", (row) => {
    const { court, member } = opened();
    court.at(20).writes('EXPIRE', { key: { secret: 'one', endS: 30 } });
    court.answers(court.member('m2'));
    court.at(row.jumpS).server.jump(10_000);
    court.at(23.1).writes(member, revoked);
    expect(court.accusations).toEqual(row.accusations);
  });

  it('of less than twice the soft age is no brake if a member read it in time', () => {
    const { court, member } = opened();
    court.at(10).writes('EXPIRE', { key: { secret: 'one', endS: 13.5 } });
    court.answers(member);
    court.at(14).writes(member, revoked);
    expect(court.accusations).toEqual(['extra']);
  });
});

describe('a member', () => {
  it('is accused where it calls a revoked key unknown without a copy', () => {
    const { court, member } = opened();
    const { record } = court.server;
    const other = court.member('m2');
    court.at(10).calls(other, 'revoke');
    court.writes(other, revoked);
    court.at(11).answers(member);
    court.at(12).answers(member, { record });
    court.at(13).verified(member, court.token('one'), unknown);
    expect(court.accusations).toEqual(['outage']);
  });

  it('has a copy again with a later epoch, in whatever order answers come', () => {
    const { court, member } = opened();
    court.at(10).writes('SET', { key: { secret: 'five', endS: 160 } });
    court.answers(member);
    court.writes(court.member('m2'), revoked);
    court.at(11).answers(member, { sentS: 9 });
    court.at(12).verified(member, court.token('one'), unknown);
    expect(court.accusations).toEqual([]);
  });

  it('is accused of an outage where nothing is wrong, though it was stopped once', () => {
    const { court, member } = opened();
    member.machine.pause('stopped');
    court.at(2);
    member.machine.resume();
    court.at(20).verified(member, court.token('one'), timeout);
    expect(court.accusations).toEqual(['outage']);
  });
});

describe('a failover that lost two rotations', () => {
  it.each([
    { lost: 2, isAccused: false },
    { lost: 0, isAccused: true },
  ])('excuses a copy in which the secret that signs again has retired ($lost lost)', ({ lost, isAccused }) => {
    const { court } = opened();
    const member = court.member('m3', { maxStalenessMs: 60_000 });
    const one = { secret: 'one', untilS: 30 };
    const other = court.member('m2');
    court.at(10).writes(other, {
      key: { secret: 'two', endS: 70 },
      ring: { current: 'two', endS: 70, next: 'three', sinceS: 10, retired: [one] },
    });
    court.at(11).writes(other, {
      key: { secret: 'three', endS: 71 },
      ring: { current: 'three', endS: 71, next: 'four', sinceS: 11, retired: [one, { secret: 'two', untilS: 31 }] },
    });
    court.at(12).answers(member);
    member.link.state = 'silent';
    if (lost > 0) court.at(13).server.loseWrites(lost);
    court.at(40).verified(member, court.token('two'), timeout);
    // The rotations, which nothing asked for, are accused too.
    expect(court.accusations.includes('lost')).toBe(isAccused);
  });
});
