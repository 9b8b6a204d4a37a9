/** Shows a demo while it runs: on a terminal one line, rewritten; elsewhere a line each second. */

const PLAIN_LINE_MS = 1_000;
/** Kept free at the end of a line, for a Ctrl-C that a terminal echoes as ^C. */
const ROOM = 3;

export function startLive(stderr) {
  const begunMs = performance.now();
  let before = { atMs: begunMs, calls: 0 };
  let line = '';

  const seconds = () => `${((performance.now() - begunMs) / 1_000).toFixed(1)} s`.padStart(7);
  const erase = () => (line === '' ? '' : '\r\x1b[K');

  return {
    update({ calls, kid, recent }) {
      const nowMs = performance.now();
      if (!stderr.isTTY && nowMs - before.atMs < PLAIN_LINE_MS) return;
      const rate = (calls - before.calls) / ((nowMs - before.atMs) / 1_000);
      before = { atMs: nowMs, calls };
      const latency = `p50 ${milliseconds(recent.p50Ms)}  p99 ${milliseconds(recent.p99Ms)}`;
      const whole = `${seconds()}  ${count(rate)} calls/s  kid ${kid ?? '-'}  ${latency}`;
      if (!stderr.isTTY) return stderr.write(`${whole}\n`);
      const gone = erase();
      // A line that wraps could not be rewritten.
      line = whole.slice(0, (stderr.columns || 80) - ROOM);
      stderr.write(gone + line);
    },
    /** A line that stays. */
    tell(words) {
      stderr.write(`${erase()}${seconds()}  ${words}\n${line}`);
    },
    /** Takes the line in place away. */
    end() {
      stderr.write(erase());
      line = '';
    },
  };
}

export function count(value) {
  return Math.round(value).toLocaleString('en-US');
}

export function milliseconds(ms) {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
