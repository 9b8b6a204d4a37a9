/**
 * Starts members in separate processes or threads, which run the compiled library: dist/esm, or
 * the folder that REWT_DIST names.
 */
import { type ChildProcess, fork } from 'node:child_process';
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { RewtOptions } from '../../src/options.js';
import type { KeyringStatus } from '../../src/status.js';
import { asUser, type UserCopy } from './users.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const script = fileURLToPath(new URL('member.js', import.meta.url));

/** Where members meet, and with what. */
export type Place = { readonly redis: number; readonly client: 'redis' | 'ioredis' } | { readonly folder: string };

interface Room {
  readonly namespace: string;
  readonly options: RewtOptions;
}

/** What a member can be asked (member.js): the order it takes and the answer it gives. */
interface Verbs {
  sign: [order: Room & { payload: object; atMs: number }, answer: string];
  signAgain: [order: { payload: object }, answer: string];
  verify: [
    order: { tokens: readonly string[] },
    answer: { payloads: readonly unknown[]; keyring: Omit<KeyringStatus, 'current' | 'next'> },
  ];
  join: [order: Room, answer: undefined];
  exchange: [order: { tokens: readonly string[] }, answer: { token: string | null; failed: readonly string[] }];
  rotate: [order: undefined, answer: string];
  leave: [order: undefined, answer: undefined];
  revoke: [order: undefined, answer: string];
  listen: [order: Room, answer: number];
  heard: [
    order: undefined,
    answer: { accepted: number; refused: Record<string, number>; late: number; kids: readonly string[] },
  ];
  startSending: [order: Room & { port: number }, answer: undefined];
  stopSending: [order: undefined, answer: { count: number; elapsedMs: number }];
  rotateForEver: [order: Room, answer: undefined];
}

interface Answer {
  readonly number: number;
  readonly value: never;
  readonly error?: string;
}

export interface MemberProcess {
  ask<Verb extends keyof Verbs>(verb: Verb, order: Verbs[Verb][0]): Promise<Verbs[Verb][1]>;
  /** SIGKILL, or the end of the thread; resolves once it is gone. */
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

/** `copy` is what a member of another user runs, as that user. */
export function startMember(place: Place, how: Way = 'fork', copy?: UserCopy): MemberProcess {
  const started =
    copy === undefined
      ? ways[how](script, [compiledFolder(), JSON.stringify(place)])
      : ways.fork(copy.member, [copy.library, JSON.stringify(place)], copy.user);
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  started.onMessage(({ number, value, error }) => {
    const asked = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(new Error(`a member answered: ${error}`));
  });
  const gone = new Promise<void>((resolve) => started.onExit(resolve));
  void gone.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('a member ended before it answered'));
  });
  // To a worker of cluster, an order that comes before it listens is lost.
  const up = new Promise<void>((resolve, reject) => waiting.set(0, { resolve, reject }));
  up.catch(() => {});
  let numbers = 0;
  return {
    ask(verb, order) {
      numbers += 1;
      const number = numbers;
      return new Promise((resolve, reject) => {
        waiting.set(number, { resolve, reject });
        up.then(
          () => started.send({ number, verb, order }),
          () => {},
        );
      });
    },
    kill() {
      started.kill();
      return gone;
    },
  };
}

/** What all of them have in common. */
export interface Started {
  /** Absent for a thread, which has none. */
  readonly pid: number | undefined;
  onMessage(listener: (message: Answer) => void): void;
  onExit(listener: () => void): void;
  send(message: object): void;
  kill(): void;
}

export const ways = {
  fork: (file: string, args: string[], user?: number): Started =>
    startedProcess(fork(file, args, { execArgv: [], ...asUser(user) })),
  'worker of cluster'(file: string, args: string[]): Started {
    cluster.setupPrimary({ exec: file, args, execArgv: [] });
    return startedProcess(cluster.fork().process);
  },
  thread(file: string, args: string[]): Started {
    const worker = new Worker(file, { argv: args, execArgv: [] });
    return {
      pid: undefined,
      onMessage: (listener) => void worker.on('message', listener),
      onExit: (listener) => void worker.once('exit', listener),
      send: (message) => worker.postMessage(message),
      kill: () => void worker.terminate(),
    };
  },
} satisfies Record<string, (file: string, args: string[]) => Started>;

/** How a member is started. */
export type Way = keyof typeof ways;

export function startedProcess(child: ChildProcess): Started {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return {
    pid: child.pid,
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => void child.once('exit', listener),
    send: (message) => void child.send(message),
    kill: () => void child.kill('SIGKILL'),
  };
}
