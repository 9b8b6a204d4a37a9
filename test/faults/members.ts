/**
 * Starts members of the fault suite, each in a separate process that runs the compiled library:
 * dist/esm, or the folder that REWT_DIST names.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RewtOptions } from '../../src/options.js';
import type { Status } from '../../src/status.js';
import type { Operation, Token } from './evidence.js';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a member finds its Redis, and with whose client. */
export type Place = { readonly client: 'redis' | 'ioredis' } & (
  | { readonly port: number; readonly user?: { readonly username: string; readonly password: string } }
  | { readonly sentinels: readonly Address[]; readonly name: string; readonly failoverDetector: boolean }
  | { readonly nodes: readonly Address[] }
);

/** A status as it comes through IPC: dates are text. */
export type WireStatus = Pick<Status, 'copy' | 'ageSeconds' | 'push'> & {
  readonly keyring: { readonly current: { readonly kid: string; readonly expiresAt: string } } | null;
};

/** What a member can be asked (member.js), and what it answers. */
interface Verbs {
  start: undefined;
  status: WireStatus;
  rotate: undefined;
  revoke: { startMs: number; endMs: number; generation: string | null };
  recall: undefined;
  stop: undefined;
}

/** What a member tells unasked, and how it answers. */
export interface Message {
  readonly token?: Token;
  readonly seen?: { readonly generation: string; readonly kids: readonly string[]; readonly atMs: number };
  readonly done?: readonly Omit<Operation, 'member'>[];
  readonly number?: number;
  readonly value?: never;
  readonly error?: string;
}

const project = fileURLToPath(new URL('../..', import.meta.url));
const script = fileURLToPath(new URL('member.js', import.meta.url));

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function compiledFolder(): string {
  const folder = resolve(project, process.env.REWT_DIST ?? 'dist/esm');
  if (existsSync(join(folder, 'index.js'))) return folder;
  throw new Error('There is no compiled library to run: npm run build, or name one in REWT_DIST.');
}

export interface Member {
  ask<Verb extends keyof Verbs>(verb: Verb): Promise<Verbs[Verb]>;
  receive(token: Token): void;
  kill(): Promise<void>;
}

export function startMember(place: Place, options: RewtOptions, hear: (message: Message) => void): Member {
  const child = fork(script, [compiledFolder(), JSON.stringify({ place, options })], { execArgv: ['--no-warnings'] });
  running.add(child);
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  const connected = new Promise<void>((resolve, reject) => waiting.set(0, { resolve, reject }));
  child.on('message', (message: Message) => {
    const asked = message.number === undefined ? undefined : waiting.get(message.number);
    if (asked === undefined) return hear(message);
    if (message.error === undefined) asked.resolve(message.value as never);
    else asked.reject(new Error(`a member answered: ${message.error}`));
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void gone.then(() => {
    running.delete(child);
    for (const { reject } of waiting.values()) reject(new Error('a member ended before it answered'));
  });
  let numbers = 0;
  return {
    async ask(verb) {
      await connected;
      numbers += 1;
      const number = numbers;
      return new Promise((resolve, reject) => {
        waiting.set(number, { resolve, reject });
        child.send({ number, verb });
      });
    },
    receive(token) {
      if (child.connected) child.send({ token });
    },
    kill() {
      child.kill('SIGKILL');
      return gone;
    },
  };
}
