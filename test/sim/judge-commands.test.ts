/** The judge of the simulation and commands: what their answers say has to be so. */
import { describe, expect, it } from 'vitest';
import { begun, opened, rotated } from './court.js';

const refused = 'ERR_REWT_ROTATION_REFUSED';
const revoked = {
  key: { secret: 'five', endS: 160 },
  ring: { epoch: 1, current: 'five', endS: 160, next: 'six' },
};

describe('a revoke() that says that it is done', () => {
  it('is accused where it wrote no revocation', () => {
    const { court, member } = opened();
    const errand = court.at(20).calls(member, 'revoke');
    court.at(20.1).commanded(member, errand, null);
    expect(court.accusations).toEqual(['late']);
  });

  it("is accused where another member's revocation came between", () => {
    const { court, member } = opened();
    const other = court.member('m2');
    const errand = court.at(20).calls(member, 'revoke');
    court.calls(other, 'revoke');
    court.writes(other, revoked);
    court.at(20.1).commanded(member, errand, null);
    expect(court.accusations).toEqual(['late']);
  });

  it('is not accused where its own landed', () => {
    const { court, member } = opened();
    const errand = court.at(20).calls(member, 'revoke');
    court.writes(member, revoked);
    court.at(20.1).commanded(member, errand, null);
    expect(court.accusations).toEqual([]);
  });
});

describe('a rotate() that says that it is done', () => {
  it('is accused where the same secret signs as before', () => {
    const { court, member } = opened();
    const errand = court.at(20).calls(member, 'rotate');
    court.writes(member, { ring: { ...begun.ring, overlapS: 30 } });
    court.at(20.1).commanded(member, errand, null);
    expect(court.accusations).toEqual(['extra']);
  });

  it('is not accused where another member rotated meanwhile', () => {
    const { court, member } = opened();
    const errand = court.at(57.9).calls(member, 'rotate');
    court.at(58).writes(court.member('m2'), rotated);
    court.at(58.1).commanded(member, errand, null);
    expect(court.accusations).toEqual([]);
  });
});

describe('a rotate() that is refused', () => {
  it.each([
    { atS: 9, force: false, accusations: [] },
    { atS: 20, force: false, accusations: ['extra'] },
    { atS: 9, force: true, accusations: ['extra'] },
  ])(
    'is accused where next is old enough, or does not matter ($atS s, force: $force)',
    ({ atS, force, accusations }) => {
      const { court, member } = opened();
      const errand = court.at(atS).calls(member, 'rotate', force);
      court.at(atS + 0.1).commanded(member, errand, refused);
      expect(court.accusations).toEqual(accusations);
    },
  );
});
