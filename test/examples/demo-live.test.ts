/** How the progress of a demo looks if it is rewritten in place, and if it is not. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { demoModule } from './example.js';

const { startLive } = await demoModule('live');

function fakeStderr(screen: { isTTY?: boolean; columns?: number } = {}) {
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), screen);
  return { live: startLive(stderr), shown: () => String(stderr.read() ?? '') };
}

const tally = { calls: 1_234, kid: 'abcdefghijk', recent: { p50Ms: 0.512, p99Ms: 12.3 } };

/** To the first column, and everything away. */
const rewind = '\r\x1b[K';

it.each([30, 50, 80])('on a terminal of %i columns the progress line never wraps', (columns) => {
  const { live, shown } = fakeStderr({ isTTY: true, columns });
  live.update(tally);
  const line = shown();
  expect(line).not.toContain('\n');
  expect(line.length).toBeLessThan(columns);
  live.update(tally);
  expect(shown().startsWith(rewind)).toBe(true);
  live.tell('rotated');
  const told = shown();
  expect(told.startsWith(rewind)).toBe(true);
  expect(told.slice(rewind.length)).toMatch(/^ *\d\.\d s {2}rotated\n/);
});

it('elsewhere it is a plain line, not more than one a second', () => {
  const { live, shown } = fakeStderr();
  live.update(tally);
  live.tell('rotated');
  live.end();
  expect(shown()).toMatch(/^ *\d\.\d s {2}rotated\n$/);
});
