/** The judge of the simulation and rotations: which it accuses, and what they excuse. */
import { describe, expect, it } from 'vitest';
import { opened, rotated } from './court.js';
import { BEGIN_MS } from './machine.js';

const timeout = 'ERR_REWT_STORE_TIMEOUT';

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
    court.ledger.showings.executed(member.shown, 'read', fromMs);
    court.at(77.85).server.jump(-aheadMs);
    court.at(77.9).writes(member, {
      key: { secret: 'three', endS: 137 },
      ring: { current: 'three', endS: 137, next: 'four', sinceS: 77.9, retired: [{ secret: 'two', untilS: 97 }] },
    });
    expect(court.accusations).toEqual(accusations);
  });

  it('is explained by other times only if one of them is shorter', () => {
    for (const [overlapS, accusations] of [[10, []] as const, [20, ['extra']] as const]) {
      const { court, member } = opened();
      court.at(20).calls(member, 'set');
      court.writes(member, { ...rotated, ring: { ...rotated.ring, overlapS } });
      expect(court.accusations).toEqual(accusations);
    }
  });

  it('is accused where it makes a time shorter, and nobody asked for that', () => {
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
    { slowMs: 1_700, leftMs: 100, accusations: [] },
    { slowMs: 900, leftMs: 100, accusations: ['lost'] },
    { slowMs: 1_700, leftMs: 1_800, accusations: ['lost'] },
  ])(
    'may be counted as over $leftMs ms too soon by an answer that was $slowMs ms on its way',
    ({ slowMs, leftMs, accusations }) => {
      const { court, member } = opened();
      court.at(58).writes(member, rotated);
      const token = court.token('one', { expMs: BEGIN_MS + 90_000, lifetimeMs: 32_000 });
      const answeredS = 78 - leftMs / 1_000;
      court.at(answeredS).answers(member, { sentS: answeredS - slowMs / 1_000 });
      court.verified(member, token, 'ERR_REWT_UNKNOWN_KEY');
      expect(court.accusations).toEqual(accusations);
    },
  );
});
