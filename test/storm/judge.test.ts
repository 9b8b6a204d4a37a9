/** The judge of a storm accuses each kind of history that the store must not make, and no other. */

import { describe, expect, it } from 'vitest';
import { type FoundRecord, judge } from './judge.js';

const record = (generation: number, name: string, parent: string | null): FoundRecord => ({
  generation,
  op: `op-${name}`,
  parent: parent && `op-${parent}`,
  name,
});
const three = [record(1, 'a', null), record(2, 'b', 'a'), record(3, 'c', 'b')];
const late = record(1, 'x', null);
const brokenBy = (text: string, records = three) => judge(records, [{ actor: 'w', text }]).broken;

describe('the judge', () => {
  it.for([
    ['nothing', ''],
    ['acknowledged swaps on the chain', 'try a - 1\ndone a 10\ntry b a 2\ndone b 20\n'],
    ['a swap that has no answer', 'try a - 1\ntry y c 4\n'],
    ['a conflict that is on no chain', 'conflict x 10\n'],
    [
      'swaps that may or may not have happened',
      'unknown a ERR_REWT_STORE_DOWN It may\nunknown x ERR_REWT_STORE_DOWN may\n',
    ],
    ['a reader that goes on', 'read - 0 1 1\nread a 1 5 2\nread c 3 30 9\n'],
    ['a reader that began before a swap was acknowledged', 'done b 20\nread a 1 19 1\n'],
    ['a line that was cut short', 'conflict a'],
  ])('accuses no member of %s', ([, text]) => {
    expect(brokenBy(text ?? '', [...three, late])).toEqual([]);
  });

  it.for([
    ['a swap that was acknowledged and lost', 'done x 10\n', 'x was acknowledged and is not on the chain'],
    ['a conflict that happened', 'conflict b 10\n', 'b was answered "conflict" and is on the chain'],
    ['a swap that failed', 'unknown b ERR_REWT_STORE_FULL may\n', 'b failed: ERR_REWT_STORE_FULL may'],
    ['a torn record', 'torn "{"\n', 'w read a torn record: "{"'],
    ['an end that no one ordered', 'failed\n', 'w ended by itself'],
    ['a reader that goes back', 'read b 2 5 1\nread a 1 6 1\n', 'w went back from 2 to 1'],
    ['a reader of what was never there', 'read x 1 5 1\n', 'w read x, which is not on the chain'],
    ['a reader that misses a swap', 'done b 20\nread a 1 21 1\n', 'w read 1 after 2 had been acknowledged'],
  ])('accuses %s', ([, text, accusation]) => {
    expect(brokenBy(text ?? '', [...three, late])).toEqual([accusation]);
  });

  it('accuses a chain with a gap, or without its beginning', () => {
    const [first, second, third] = three;
    expect(
      brokenBy(
        '',
        [first, third].filter((each) => each !== undefined),
      ),
    ).toContain('the chain is broken below generation 3 (c)');
    expect(
      brokenBy(
        '',
        [second, third].filter((each) => each !== undefined),
      ),
    ).toContain('the chain is broken below generation 2 (b)');
    expect(brokenBy('', [record(2, 'a', null)])).toEqual(['the chain does not begin at generation 1']);
  });

  it('counts swaps, conflicts and reads', () => {
    const text = 'try a - 1\ndone a 10\ntry x - 1\nconflict x 11\ntry b a 2\nread a 1 11 7\n';
    expect(judge([...three, late], [{ actor: 'w', text }])).toMatchObject({
      swaps: 1,
      conflicts: 1,
      unknown: 0,
      unanswered: 1,
      late: 1,
      reads: 7,
    });
  });
});
