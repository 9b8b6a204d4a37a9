/**
 * The judge of the simulation accuses what breaks a promise, and nothing that protocol.md covers.
 */
import { describe, expect, it } from 'vitest';
import type { Judged } from './calls.js';
import { begun, Court, opened, rotated } from './court.js';

const unknown = 'ERR_REWT_UNKNOWN_KEY';
const timeout = 'ERR_REWT_STORE_TIMEOUT';
describe('a member that cannot reach the store', () => {
  it('is accused for as long as its copy is young', () => {
    const { court, member } = opened();
    const token = court.at(9).token('one');
    member.link.state = 'silent';
    court.verified(member, token, timeout);
    expect(court.accusations).toEqual(['lost']);
  });

  it('is not accused once its copy is maxStaleness old', () => {
    const { court, member } = opened();
    const token = court.at(11).token('one');
    member.link.state = 'silent';
    court.verified(member, token, timeout);
    expect(court.accusations).toEqual([]);
  });

  it('has not renewed its copy with the answer to a swap of rotate() that was not done', () => {
    const { court, member } = opened();
    const errand = court.at(9).calls(member, 'rotate');
    court.answers(member, { errand });
    court.answers(member, { errand, verb: 'swap' });
    court.ledger.showings.concluded(member.shown, errand, timeout);
    member.link.state = 'silent';
    court.at(12).verified(member, court.token('one'), timeout);
    expect(court.accusations).toEqual([]);
  });

  it('has renewed its copy with a rotate() that was refused', () => {
    const { court, member } = opened();
    const errand = court.at(9).calls(member, 'rotate');
    court.answers(member, { errand });
    court.ledger.showings.concluded(member.shown, errand, 'ERR_REWT_ROTATION_REFUSED');
    member.link.state = 'silent';
    court.at(12).verified(member, court.token('one'), timeout);
    expect(court.accusations).toEqual(['lost']);
  });

  it('has a copy as old as the wall clock says that was set while its last read was under way', () => {
    const { court, member } = opened();
    const { good } = member.shown;
    member.machine.setWall(-3_600_000);
    court.at(3).answers(member);
    member.machine.setWall(0);
    member.link.state = 'silent';
    expect(member.shown.good).not.toBe(good);
    court.at(5).verified(member, court.token('one'), timeout, good);
    expect(court.accusations).toEqual([]);
  });

  it('has a copy as old as the wall clock says that was wrong when a refused rotate() read it', () => {
    const { court, member } = opened();
    member.machine.setWall(-3_600_000);
    const errand = court.at(3).calls(member, 'rotate');
    court.answers(member, { errand });
    court.ledger.showings.concluded(member.shown, errand, 'ERR_REWT_ROTATION_REFUSED');
    member.machine.setWall(0);
    member.link.state = 'silent';
    court.at(5).verified(member, court.token('one'), timeout);
    expect(court.accusations).toEqual([]);
  });
});

describe('a copy that lacks the secret of a token', () => {
  /**
   * `three` is published as next at 58 and signs at 60; the copy of the member that is cut off is
   * from 55.
   */
  function turnedTwice(rotate: (court: Court, by: Judged) => void) {
    const { court, member } = opened();
    court.at(55).answers(member);
    member.link.state = 'silent';
    const other = court.member('m2');
    court.at(58).writes(other, rotated);
    court.at(60);
    rotate(court, other);
    court.writes(other, {
      key: { secret: 'three', endS: 120 },
      ring: {
        ...{ current: 'three', endS: 120, next: 'four', sinceS: 60 },
        retired: [...rotated.ring.retired, { secret: 'two', untilS: 80 }],
      },
    });
    court.at(61).verified(member, court.token('three'), timeout);
    return court;
  }

  it('is accused where the schedule does not let it sign so soon', () => {
    // The rotation itself is accused too.
    expect(turnedTwice(() => {}).accusations).toEqual(['extra', 'lost']);
  });

  it('is accused where rotate() did not look at the age of next', () => {
    expect(turnedTwice((court, by) => court.calls(by, 'rotate')).accusations).toEqual(['extra', 'lost']);
  });

  it('is excused where rotate() was to look at nothing, or its caller goes by a smaller maxStaleness', () => {
    expect(turnedTwice((court, by) => court.calls(by, 'rotate', true)).accusations).not.toContain('lost');
    const hasty = turnedTwice((court, by) => {
      Object.assign(by.shown, { times: { ...by.times, maxStalenessMs: 2_000 } });
      court.calls(by, 'rotate');
    });
    expect(hasty.accusations).not.toContain('lost');
  });

  it('is excused where an EXPIRE moved the end', () => {
    const court = turnedTwice((court) => court.writes('EXPIRE', { key: { secret: 'two', endS: 61 } }));
    expect(court.accusations).toEqual([]);
  });

  it('is accused where an EXPIRE moved the end to a later time', () => {
    const court = turnedTwice((court) => court.writes('EXPIRE', { key: { secret: 'two', endS: 180 } }));
    expect(court.accusations).toContain('lost');
  });

  it("is excused where a jump of the store's clock brought the end nearer", () => {
    const court = turnedTwice((court) => {
      court.ledger.clock.leastToleranceMs = 1_000;
      court.server.jump(57_000);
    });
    expect(court.accusations).not.toContain('lost');
  });

  it('is excused where the secret was never next', () => {
    const { court, member } = opened();
    member.link.state = 'silent';
    const other = court.member('m2');
    court.at(2).writes('SET', { key: { secret: 'set', endS: 90 } });
    court.writes(other, { ring: { epoch: 1, current: 'set', endS: 90, next: 'four' } });
    court.at(3).verified(member, court.token('set'), timeout);
    expect(court.accusations).toEqual([]);
    expect(court.excuses).toEqual({ 'SET, unheard of': 1 });
  });
});

describe('a copy that lacks what came while its member was cut off', () => {
  it('is excused where the secret before it came into K with a short TTL', () => {
    const { court, member } = opened();
    member.link.state = 'silent';
    const other = court.member('m2');
    court.at(2).writes('SET', { key: { secret: 'set', endS: 8 } });
    court.writes(other, { ring: { epoch: 1, current: 'set', endS: 8, next: 'four', sinceS: 2 } });
    court.at(6).writes(other, {
      key: { secret: 'four', endS: 66 },
      ring: { epoch: 1, current: 'four', endS: 66, next: 'five', retired: [{ secret: 'set', untilS: 26 }] },
    });
    court.at(7).verified(member, court.token('four'), timeout);
    expect(court.accusations).toEqual([]);
    expect(court.excuses).toEqual({ 'SET, unheard of': 1 });
  });

  it.each([
    { lifetimeMs: 30_000, accusations: [] },
    { lifetimeMs: 20_000, accusations: ['lost'] },
  ])('is excused of a larger overlap for tokens that need it ($lifetimeMs ms)', ({ lifetimeMs, accusations }) => {
    const court = new Court();
    const gateway = court.member('gateway', { maxStalenessMs: 60_000 });
    const other = court.member('m2');
    court.writes(other, begun);
    court.at(55).answers(gateway);
    court.at(56).writes(other, { ring: { ...begun.ring, overlapS: 40 } });
    gateway.link.state = 'silent';
    const retired = [{ secret: 'one', untilS: 98 }];
    court.at(58).writes(other, { ...rotated, ring: { ...rotated.ring, overlapS: 40, retired } });
    const token = court.at(65).token('one', { lifetimeMs });
    court.at(82).verified(gateway, token, timeout);
    expect(court.accusations).toEqual(accusations);
  });
});

describe('a member that only verifies, cut off for longer than the overlap', () => {
  function cutOff() {
    const { court } = opened();
    const gateway = court.member('gateway', { maxStalenessMs: 90_000 });
    court.at(55).answers(gateway);
    gateway.link.state = 'silent';
    return { court, gateway, other: court.member('m2') };
  }

  it.each([
    { what: 'took it back since', readS: 57, accusations: [], excuses: { 'EXPIRE, unheard of': 1 } },
    { what: 'took it back before', readS: 59, accusations: ['lost'], excuses: {} },
  ])('is excused of an end that an EXPIRE has moved if a failover $what', ({ readS, accusations, excuses }) => {
    const { court, gateway, other } = cutOff();
    court.at(55.5).writes(other, { key: { secret: 'one', endS: 118 }, ring: { ...begun.ring, endS: 118 } });
    court.at(56).writes('EXPIRE', { key: { secret: 'one', endS: 70 } });
    court.writes(other, { ring: { ...begun.ring, endS: 70 } });
    if (readS < 58) court.at(readS).answers(gateway);
    court.at(58).server.loseWrites(2);
    if (readS > 58) court.at(readS).answers(gateway);
    court.at(95).verified(gateway, court.token('one'), timeout);
    expect(court.accusations).toEqual(accusations);
    expect(court.excuses).toEqual(excuses);
  });

  it('is excused of an end that an EXPIRE has moved', () => {
    const { court, gateway, other } = cutOff();
    court.at(56).writes('EXPIRE', { key: { secret: 'one', endS: 90 } });
    court.writes(other, { ring: { ...begun.ring, endS: 90 } });
    court.at(82).verified(gateway, court.token('one'), timeout);
    expect(court.accusations).toEqual([]);
    expect(court.excuses).toEqual({ 'EXPIRE, unheard of': 1 });
  });

  it.each([
    { hasKid: false, accusations: [] },
    { hasKid: true, accusations: ['late'] },
  ])('is excused of tokens without exp whose secret has retired (kid: $hasKid)', ({ hasKid, accusations }) => {
    const { court, gateway, other } = cutOff();
    court.at(58).writes(other, { ...rotated, ring: { ...rotated.ring, retired: [{ secret: 'one', untilS: 75 }] } });
    court.at(77).verified(gateway, court.token('one', { hasKid }), null);
    expect(court.accusations).toEqual(accusations);
  });
});

describe('a key that is called unknown', () => {
  it('is accused where the member has not looked for it', () => {
    const { court, member } = opened();
    court.at(2).verified(member, court.token('x', { secret: undefined }), unknown);
    expect(court.accusations).toEqual(['outage']);
  });

  it('is not accused where the member saw its secret revoked', () => {
    const { court, member } = opened();
    court.at(2).calls(member, 'revoke');
    const key = { secret: 'five', endS: 160 };
    court.writes(member, { key, ring: { epoch: 1, current: 'five', endS: 160, next: 'six' } });
    court.at(3).answers(member);
    court.at(9).verified(member, court.token('one', { secret: undefined }), unknown);
    expect(court.accusations).toEqual([]);
  });
});

describe('a failover', () => {
  it('excuses the refusal of a secret that only K held', () => {
    const { court, member } = opened();
    court.at(10).writes('old SETEX', { key: { secret: 'old', endS: 70 } });
    const token = court.at(11).token('old', { hasKid: false });
    court.server.loseWrites(1);
    court.at(12).verified(member, token, 'ERR_REWT_BAD_SIGNATURE');
    expect(court.accusations).toEqual([]);
    expect(court.excuses).toEqual({ 'failover that lost a foreign secret': 1 });
  });

  it('excuses, as a repair does, the refusal of tokens that needed a larger overlap', () => {
    const { court, member } = opened();
    const other = court.member('m2');
    court.at(2).writes(other, { ring: { ...begun.ring, overlapS: 40 } });
    const token = court.at(50).token('one', { lifetimeMs: 40_000 });
    court.writes('evict R', { ring: null });
    court.writes(member, { ring: begun.ring });
    court.at(58).writes(member, rotated);
    court.at(80).verified(member, token, unknown);
    expect(court.accusations).toEqual([]);
    expect(court.excuses).toEqual({ 'repair that lost a larger overlap': 1 });
  });

  it('excuses no refusal of the secret of a rotation that it lost', () => {
    const { court, member } = opened();
    court.at(58).answers(member);
    court.writes(member, rotated);
    const token = court.at(58.5).token('two');
    court.server.loseWrites(1);
    court.at(59).verified(member, token, unknown);
    expect(court.accusations).toEqual(['lost']);
  });
});

describe('a revocation', () => {
  const revoked = {
    key: { secret: 'five', endS: 160 },
    ring: { epoch: 1, current: 'five', endS: 160, next: 'six' },
  };

  it('is accused where nothing explains it', () => {
    const { court, member } = opened();
    court.at(10).writes(member, revoked);
    expect(court.accusations).toEqual(['extra']);
  });

  it('is explained by a brake, and by a call of revoke()', () => {
    const { court, member } = opened();
    court.at(10).writes('DEL', { key: null });
    court.writes(member, revoked);
    court.at(20).calls(member, 'revoke');
    court.writes(member, { ring: { epoch: 2, current: 'seven', endS: 160, next: 'eight' } });
    expect(court.accusations).toEqual([]);
  });

  it('is explained by an EXPIRE that a failover brought back under a ring without it', () => {
    const { court, member } = opened();
    court.at(10).writes('evict R', { ring: null });
    court.writes('EXPIRE', { key: { secret: 'one', endS: 30 } });
    court.at(11).writes(member, { ring: begun.ring });
    court.writes(member, { ring: { ...begun.ring, endS: 30 } });
    court.at(12).server.loseWrites(1);
    court.at(40).answers(member);
    court.writes(member, { key: { secret: 'five', endS: 100 }, ring: { ...revoked.ring, endS: 100 } });
    expect(court.accusations).toEqual([]);
  });

  it('is explained by the end of K on a master that was left, whichever member read the EXPIRE elsewhere', () => {
    const { court, member } = opened();
    court.at(10).writes('EXPIRE', { key: { secret: 'one', endS: 30 } });
    court.answers(court.member('m2'));
    court.at(31).answers(member, { mayBeDeposed: true });
    court.server.loseWrites(1);
    court.at(32).answers(member);
    court.writes(member, revoked);
    expect(court.accusations).toEqual([]);
  });

  it('is accused where an EXPIRE was written into the ring in time', () => {
    const { court, member } = opened();
    court.at(10).writes('EXPIRE', { key: { secret: 'one', endS: 30 } });
    court.answers(member);
    court.writes(member, { ring: { ...begun.ring, endS: 30 } });
    court.at(20).writes(member, revoked);
    expect(court.accusations).toEqual(['extra']);
  });

  it('is accused, and nothing that has to come first, where only an answer that may be older shows a rollback', () => {
    const { court, member } = opened();
    const other = court.member('m2');
    const { record } = court.server;
    court.at(10).calls(other, 'revoke');
    court.writes(other, revoked);
    court.at(11).answers(member);
    court.at(12).answers(member, { record, sentS: 10.5 });
    court.at(13).verified(member, court.token('five'), null);
    expect(court.accusations).toEqual([]);
    court.writes(member, { ring: { epoch: 2, current: 'seven', endS: 160, next: 'eight' } });
    expect(court.accusations).toEqual(['extra']);
  });

  it('is not what a repair makes, which writes the ring of before', () => {
    const { court, member } = opened();
    court.at(58).answers(member);
    court.writes(member, rotated);
    court.server.loseWrites(1);
    // `three` is missing now, and m1 may hold it: it comes back with the other master.
    court.at(59).writes('evict R', { ring: null });
    court.writes(member, { ring: begun.ring });
    expect(court.ledger.revocations).toBe(0);
    expect(court.accusations).toEqual([]);
  });

  /**
   * The ring of before ended long ago in the store; then an operator deletes K, and all of it is
   * taken away.
   */
  it('is explained for a member that saw a secret taken away that had ended by then', () => {
    const { court, member } = opened();
    const other = court.member('m2');
    court.at(95).answers(member);
    court.writes('SET', { key: { secret: 'short', endS: 200 } });
    court.writes(other, revoked);
    court.at(96).answers(member);
    court.at(97).server.loseWrites(2);
    court.writes('SET', { key: { secret: 'one', endS: 200 } });
    court.at(98).writes(other, { ring: { id: 'another', current: 'one', endS: 200, next: 'nine' } });
    const before = court.accusations.length;
    court.at(99).answers(member);
    court.writes(member, {
      key: { secret: 'ten', endS: 159 },
      ring: { id: 'another', epoch: 1, current: 'ten', endS: 159, next: 'eleven' },
    });
    expect(court.accusations.length - before).toBe(0);
  });
});
