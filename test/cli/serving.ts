/** `rewt serve` as a separate process, for the time of a test. */
import type { ChildProcess } from 'node:child_process';
import { endOf, type Run, type Surroundings, startRewt } from './process.js';

export interface Serving {
  readonly port: number;
  /** What it has said so far. */
  said(): string;
  /** Ends it with a signal, and gives what became of it. */
  end(signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<Run>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export async function startServing(args: readonly string[], surroundings?: Surroundings): Promise<Serving> {
  const child = startRewt(['serve', '--port', '0', ...args], surroundings);
  running.add(child);
  const ended = endOf(child).finally(() => running.delete(child));
  let said = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr?.on('data', (chunk) => {
      said += chunk;
      const found = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    ended.then(({ stderr }) => reject(new Error(`rewt serve ended: ${stderr}`)), reject);
  });
  return {
    port,
    said: () => said,
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}
