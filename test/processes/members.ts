/** Starts members in processes of their own, which run the compiled library: dist/esm, or the folder that REWT_DIST names. */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RewtOptions } from '../../src/options.js';
import type { KeyringStatus } from '../../src/status.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const script = fileURLToPath(new URL('member.js', import.meta.url));

/** Where members meet, and with what. */
export type Place = { readonly redis: number; readonly client: 'redis' | 'ioredis' } | { readonly lmdb: string };

interface Room {
  readonly namespace: string;
  readonly options: RewtOptions;
}

/** What a member can be asked (member.js): the order it takes and the answer it gives. */
interface Verbs {
  sign: [order: Room & { payload: object; atMs: number }, answer: string];
  verify: [
    order: { tokens: readonly string[] },
    answer: { payloads: readonly unknown[]; keyring: Omit<KeyringStatus, 'current' | 'next'> },
  ];
  listen: [order: Room, answer: number];
  heard: [
    order: undefined,
    answer: { accepted: number; refused: Record<string, number>; late: number; kids: readonly string[] },
  ];
  startSending: [order: Room & { port: number }, answer: undefined];
  stopSending: [order: undefined, answer: { count: number; elapsedMs: number }];
  rotateForEver: [order: Room, answer: undefined];
}

export interface MemberProcess {
  ask<Verb extends keyof Verbs>(verb: Verb, order: Verbs[Verb][0]): Promise<Verbs[Verb][1]>;
  /** SIGKILL; resolves once the process is gone. */
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The folder with the compiled library. */
export function compiledFolder(): string {
  const folder = resolve(project, process.env.REWT_DIST ?? 'dist/esm');
  if (existsSync(join(folder, 'index.js'))) return folder;
  throw new Error(
    'There is no compiled library to run: npm run build (npm test does it first), or name one in REWT_DIST.',
  );
}

export function startMember(place: Place): MemberProcess {
  const child = fork(script, [compiledFolder(), JSON.stringify(place)], { execArgv: [] });
  running.add(child);
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  child.on('message', ({ number, value, error }: { number: number; value: never; error?: string }) => {
    const asked = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(new Error(`a member answered: ${error}`));
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void gone.then(() => {
    running.delete(child);
    for (const { reject } of waiting.values()) reject(new Error('a member ended before it answered'));
  });
  let numbers = 0;
  return {
    ask(verb, order) {
      numbers += 1;
      const number = numbers;
      return new Promise((resolve, reject) => {
        waiting.set(number, { resolve, reject });
        child.send({ number, verb, order });
      });
    },
    kill() {
      child.kill('SIGKILL');
      return gone;
    },
  };
}
