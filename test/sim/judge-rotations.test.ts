/** The judge of the simulation and rotations: which it accuses, and what they excuse. */
import { describe, expect, it } from 'vitest';
import { begun, opened, rotated } from './court.js';
import { BEGIN_MS } from './machine.js';
import { isPromotion } from './shown.js';

const timeout = 'ERR_REWT_STORE_TIMEOUT';
const unknown = 'ERR_REWT_UNKNOWN_KEY';

describe('a rotation', () => {
  it.each([
    { aheadMs: 300, accusations: [] },
    { aheadMs: 50, accusations: ['extra'] },
  ])('is due by the clock of the store as its read showed it ($aheadMs ms ahead)', ({ aheadMs, accusations }) => {
    const { court, member } = opened();
    court.at(50).server.jump(aheadMs);
    court.at(56.8).answers(member);
    court.at(56.85).server.jump(-aheadMs);
    court.at(56.9).writes(member, rotated);
    expect(court.accusations).toEqual(accusations);
  });

  it.each([
    { aheadMs: 300, accusations: [] },
    { aheadMs: 50, accusations: ['extra'] },
  ])('drops what had ended by that clock, and revokes it not ($aheadMs ms ahead)', ({ aheadMs, accusations }) => {
    const { court, member } = opened();
    court.at(58).writes(member, rotated);
    court.at(70).server.jump(aheadMs);
    const { fromMs } = court.at(77.8).calls(member, 'rotate');
    court.ledger.showings.executed(member.shown, 'read', fromMs, court.server.record);
    court.at(77.85).server.jump(-aheadMs);
    court.at(77.9).writes(member, {
      key: { secret: 'three', endS: 137 },
      ring: { current: 'three', endS: 137, next: 'four', sinceS: 77.9, retired: [{ secret: 'two', untilS: 97 }] },
    });
    expect(court.accusations).toEqual(accusations);
  });

  it.each([
    { what: 'back by as much', atS: 21, backMs: 600, accusations: [] },
    { what: 'back by less', atS: 21, backMs: 400, accusations: ['extra'] },
    { what: 'ahead during the call, and back after it', atS: 20.5, backMs: -600, accusations: [] },
    { what: 'ahead after the call, and back again', atS: 21.1, backMs: -600, accusations: ['extra'] },
  ])("is explained by a call that is over for as long as the store's clock was set $what", (row) => {
    const { court, member } = opened();
    const { fromMs } = court.at(20).calls(member, 'rotate');
    court.ledger.showings.executed(member.shown, 'read', fromMs, court.server.record);
    court.at(row.atS).server.jump(-row.backMs);
    if (row.backMs < 0) court.at(21.2).server.jump(row.backMs);
    court.at(21.5).writes(member, rotated);
    expect(court.accusations).toEqual(row.accusations);
  });

  it.each([
    { what: 'was made again after', readS: 59, accusations: [] },
    { what: 'was lost before', readS: 59.6, accusations: ['extra'] },
  ])('that a failover took back and that $what the first read of a rotate() explains no other', (row) => {
    const { court, member } = opened();
    const other = court.member('m2');
    const call = (atS: number) => {
      if (atS !== row.readS) return;
      const { fromMs } = court.at(atS).calls(member, 'rotate', true);
      court.ledger.showings.executed(member.shown, 'read', fromMs, court.server.record);
    };
    court.at(58).writes(other, rotated);
    call(59);
    court.at(59.5).server.loseWrites(1);
    call(59.6);
    court.at(59.7).writes(other, rotated);
    court.at(59.8).writes(member, {
      key: { secret: 'three', endS: 119 },
      ring: {
        ...{ current: 'three', endS: 119, next: 'four', sinceS: 59.8 },
        retired: [...rotated.ring.retired, { secret: 'two', untilS: 79.8 }],
      },
    });
    expect(court.accusations).toEqual(row.accusations);
  });

  it('is explained by other times only if one of them is shorter', () => {
    for (const [overlapS, accusations] of [[10, []] as const, [20, ['extra']] as const]) {
      const { court, member } = opened();
      court.at(20).calls(member, 'set');
      court.writes(member, { ...rotated, ring: { ...rotated.ring, overlapS } });
      expect(court.accusations).toEqual(accusations);
    }
  });

  it('is accused where it makes a time shorter, and no operator set that', () => {
    const { court, member } = opened();
    court.at(58).writes(member, { ...rotated, ring: { ...rotated.ring, overlapS: 10 } });
    expect(court.accusations).toEqual(['extra']);
  });

  it('leaves a secret alive that is owed more than the overlap', () => {
    const { court } = opened();
    const member = court.member('m2', { maxStalenessMs: 100_000 });
    const ring = { ...rotated.ring, overlapS: 10, owedS: 140 };
    court.at(58).calls(member, 'set');
    court.writes(member, { ...rotated, ring });
    court.at(60).answers(member);
    member.link.state = 'silent';
    court.at(130).verified(member, court.token('two'), timeout);
    expect(court.accusations).toEqual(['lost']);
  });

  it.each([
    { lateMs: 900, readS: 58, endedMs: 500, accusations: [] },
    { lateMs: 100, readS: 58, endedMs: 500, accusations: ['lost'] },
    { lateMs: 900, readS: 58.9, endedMs: 500, accusations: ['lost'] },
  ])(
    'that lands $lateMs ms late after a read at $readS s ends what it retires $endedMs ms too soon',
    ({ lateMs, readS, endedMs, accusations }) => {
      const { court, member } = opened();
      court.at(58 + lateMs / 1_000).writes(member, rotated, readS);
      const token = court.token('one', { expMs: BEGIN_MS + 90_000, lifetimeMs: 32_000 });
      court.at(78 + endedMs / 1_000).answers(member);
      court.verified(member, token, 'ERR_REWT_UNKNOWN_KEY');
      expect(court.accusations).toEqual(accusations);
    },
  );

  it.each([
    { slowMs: 1_700, backMs: 0, leftMs: 100, accusations: [] },
    { slowMs: 900, backMs: 0, leftMs: 100, accusations: ['lost'] },
    { slowMs: 1_700, backMs: 0, leftMs: 1_800, accusations: ['lost'] },
    { slowMs: 0, backMs: 1_700, leftMs: 100, accusations: ['lost'] },
  ])(
    'may be counted as over $leftMs ms too soon by a read that was $slowMs ms on its way, and $backMs ms back',
    ({ slowMs, backMs, leftMs, accusations }) => {
      const { court, member } = opened();
      court.at(58).writes(member, rotated);
      const token = court.token('one', { expMs: BEGIN_MS + 90_000, lifetimeMs: 32_000 });
      const answeredS = 78 - leftMs / 1_000;
      const executedS = answeredS - backMs / 1_000;
      court.at(answeredS).answers(member, { sentS: executedS - slowMs / 1_000, executedS });
      court.verified(member, token, 'ERR_REWT_UNKNOWN_KEY');
      expect(court.accusations).toEqual(accusations);
    },
  );
});

describe('a rotation and a read that were slow', () => {
  it.each([
    { slowMs: 300, accusations: [] },
    { slowMs: 150, accusations: ['lost'] },
  ])('need `clockTolerance` together: 800 ms, and a read of $slowMs ms', ({ slowMs, accusations }) => {
    const { court, member } = opened();
    const token = court.at(57.9).token('one', { expMs: BEGIN_MS + 90_000, lifetimeMs: 32_000 });
    court.at(58).writes(member, rotated, 57.2);
    court.at(77.9).answers(member, { sentS: 77.9 - slowMs / 1_000 });
    court.verified(member, token, 'ERR_REWT_UNKNOWN_KEY');
    expect(court.accusations).toEqual(accusations);
  });
});

describe('a secret that K holds past the end that the ring has for it', () => {
  it.each([
    { isRevoked: true, accusations: [] },
    { isRevoked: false, accusations: ['lost'] },
  ])('goes with a revocation: $isRevoked', ({ isRevoked, accusations }) => {
    const { court, member } = opened();
    court.at(20).writes('EXPIRE', { key: { secret: 'one', endS: 90 } });
    const token = court.at(78).token('one');
    court.at(81).calls(member, 'revoke');
    const revoked = { epoch: 1, current: 'five', endS: 160, next: 'six' };
    if (isRevoked) court.writes(member, { key: { secret: 'five', endS: 160 }, ring: revoked });
    court.at(82).verified(member, token, 'ERR_REWT_UNKNOWN_KEY');
    expect(court.accusations).toEqual(accusations);
  });
});

describe('a secret that retired before the end that a copy has', () => {
  it.each([
    { what: 'by a member that is cut off', accusations: [] },
    { what: 'by one that called revoke() itself meanwhile', isRevoking: true, accusations: [] },
    { what: 'by a copy that is too old', atS: 58, accusations: ['late'] },
    { what: 'by a copy that was read since', readS: 31, accusations: ['late'] },
    { what: 'with a kid', hasKid: true, accusations: ['late'] },
    { what: 'though the copy is never as old as `overlap`', maxStalenessMs: 20_000, accusations: ['late'] },
  ])('is accepted $what: $accusations', (row) => {
    const { atS = 55, readS = 27, hasKid = false, maxStalenessMs = 30_000, accusations } = row;
    const { court } = opened();
    const member = court.member('m2', { maxStalenessMs });
    const other = court.member('m3');
    const token = court.token('one', { hasKid });
    if (readS < 28) court.at(readS).answers(member);
    court.at(28).writes('EXPIRE', { key: { secret: 'one', endS: 32 } });
    court.writes(other, { ring: { ...begun.ring, endS: 32 } });
    court.at(30).writes(other, {
      key: { secret: 'two', endS: 90 },
      ring: { current: 'two', endS: 90, next: 'three', sinceS: 30, retired: [{ secret: 'one', untilS: 50 }] },
    });
    if (readS > 30) court.at(readS).answers(member);
    if (row.isRevoking) member.shown.good = null;
    court.at(atS).verified(member, token, null);
    expect(court.accusations).toEqual(accusations);
  });
});

describe("a token signed with next, though K's end was moved to a later one", () => {
  it.each([
    { what: 'past the end in the ring', atS: 45, writesS: 50, accusations: [] },
    { what: 'before that', atS: 39, writesS: 50, accusations: ['old'] },
    { what: 'after the ring was read with the later end', atS: 45, writesS: 38, accusations: ['old'] },
  ])('is one that old rewt may refuse, if it was signed $what', ({ atS, writesS, accusations }) => {
    const { court, member } = opened();
    const sooner = { key: { secret: 'one', endS: 40 }, ring: { ...begun.ring, endS: 40 } };
    court.at(20).writes('EXPIRE', { key: sooner.key });
    court.writes(court.member('m2'), sooner);
    court.at(30).writes('EXPIRE', { key: { secret: 'one', endS: 90 } });
    court.answers(member);
    if (writesS < atS) {
      court.at(writesS).writes(court.member('m2'), { ring: { ...begun.ring, endS: 90 } });
      court.answers(member);
    }
    const token = court.at(atS).token('two');
    const { good, newest } = member.shown;
    const isPromoted = isPromotion(token.secret ?? '', member.machine, [good, newest]);
    court.judge.oldVerified('old1', { ...token, isPromoted }, false, 0, court.agenda.nowMs);
    expect(court.accusations).toEqual(accusations);
  });
});

describe('a next that signs without the store', () => {
  it.each([
    { what: 'has ended', atS: 119, accusations: [], excuses: { 'failover that lost two rotations': 1 } },
    { what: 'has not ended', atS: 117, accusations: ['lost'], excuses: {} },
  ])('goes with one lost rotation if current $what', ({ atS, accusations, excuses }) => {
    const { court, member } = opened();
    court.at(58).writes(member, rotated);
    const token = court.at(atS).token('three');
    court.server.loseWrites(1);
    court.answers(member);
    court.verified(member, token, unknown);
    expect(court.accusations).toEqual(accusations);
    expect(court.excuses).toEqual(excuses);
  });
});
