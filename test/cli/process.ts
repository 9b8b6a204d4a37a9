/**
 * Runs the built `rewt` command as its users do: a separate process, with its own streams and
 * environment. `command.ts` runs it in this process, which costs far less.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asUser } from '../processes/users.js';

export const dist = fileURLToPath(new URL('../../dist', import.meta.url));
export const main = join(dist, 'cjs/cli/main.cjs');

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  /** All of stdin; null: stdin stays open and nothing ever comes. Default: empty. */
  readonly input?: string | Uint8Array | null;
  /** Whatever the developer's own environment says of rewt is not passed on. */
  readonly env?: Record<string, string>;
  /** Another copy of the command. */
  readonly file?: string;
  readonly cwd?: string;
  /** The number of the user who runs it. Needs root. */
  readonly user?: number;
}

export function startRewt(
  args: readonly string[],
  { env = {}, file = main, cwd, user }: Surroundings = {},
): ChildProcess {
  if (!existsSync(file)) throw new Error('these tests run what is published: build it first, node scripts/build.js');
  const foreign = (name: string) => name.startsWith('REWT_') || name === 'FORCE_COLOR';
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)));
  return spawn(process.execPath, [file, ...args], {
    env: { ...inherited, ...env },
    stdio: 'pipe',
    cwd,
    ...asUser(user),
  });
}

export async function rewtProcess(args: readonly string[], surroundings: Surroundings = {}): Promise<Run> {
  const child = startRewt(args, surroundings);
  const ended = endOf(child);
  const { input = '' } = surroundings;
  // It may end without having read anything.
  child.stdin?.on('error', () => {});
  if (input !== null) child.stdin?.end(input);
  return ended;
}

export function endOf(child: ChildProcess): Promise<Run> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** An environment whose embedded store is a fresh folder. */
export function freshState(): { env: { XDG_STATE_HOME: string }; folder: string; remove(): void } {
  const home = mkdtempSync(join(tmpdir(), 'rewt-cli-'));
  return {
    env: { XDG_STATE_HOME: home },
    folder: join(home, 'rewt'),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
