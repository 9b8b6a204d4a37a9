/**
 * Lets processes run as other users, with a copy of the compiled library that those may read. Needs
 * root.
 */

import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const isRoot = process.getuid?.() === 0;
/** `nobody`, and a user without a name. */
export const SERVICE = 65_534;
export const STRANGER = 65_533;

export interface UserCopy {
  readonly user: number;
  /** The folder of the library, the script of a member, and that of the command. */
  readonly library: string;
  readonly member: string;
  readonly command: string;
}

/** For `spawn` and `fork`. */
export function asUser(user: number | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user, gid: user };
}

/** Copies what is compiled to where every user can read it. */
export function createCopy(): { for(user: number): UserCopy; remove(): void } {
  const project = fileURLToPath(new URL('../..', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'rewt-users-'));
  chmodSync(folder, 0o755);
  cpSync(resolve(project, process.env.REWT_DIST ?? 'dist/esm', '..'), join(folder, 'dist'), { recursive: true });
  cpSync(join(project, 'test/processes/member.js'), join(folder, 'member.js'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const member = join(folder, 'member.js');
  const command = join(folder, 'dist/cjs/cli/main.cjs');
  return {
    for: (user) => ({ user, library: join(folder, 'dist/esm'), member, command }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
