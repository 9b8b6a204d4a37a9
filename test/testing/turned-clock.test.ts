import { expect, it, vi } from 'vitest';
import { createTurnedClock } from '../../src/testing/clock.js';

it('rings what is due on the way, in its order and at its time, also what is set meanwhile', () => {
  vi.useFakeTimers();
  try {
    const clock = createTurnedClock(0);
    const beganMs = clock.monotonicMs();
    const rung: [name: string, atMs: number][] = [];
    const note = (name: string) => rung.push([name, clock.monotonicMs() - beganMs]);
    clock.timer(3_000, () => note('third'), 'unref');
    clock.timer(1_000, () => {
      note('first');
      clock.timer(1_000, () => note('second'));
      cancel();
    });
    const cancel = clock.timer(2_500, () => note('cancelled'));
    clock.timer(5_000, () => note('late'));
    clock.turn(4_000);
    expect(rung).toEqual([
      ['first', 1_000],
      ['second', 2_000],
      ['third', 3_000],
    ]);
    expect(clock.monotonicMs() - beganMs).toBe(4_000);
    // By itself, after the second that was left.
    vi.advanceTimersByTime(999);
    expect(rung).toHaveLength(3);
    vi.advanceTimersByTime(1);
    expect(rung[3]).toEqual(['late', 5_000]);
    vi.advanceTimersByTime(10_000);
    expect(rung).toHaveLength(4);
  } finally {
    vi.useRealTimers();
  }
});
