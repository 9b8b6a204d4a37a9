/**
 * Runs commands in separate namespaces, by `unshare` of util-linux: as root, or as any user if
 * the system permits that. Linux only.
 */

import { execFileSync } from 'node:child_process';

/**
 * The words before a command that put it into such namespaces. @throws {Error} that says what is
 * needed
 */
export function unshared(...flags: readonly string[]): readonly string[] {
  const command = ['unshare', ...(process.getuid?.() === 0 ? [] : ['-r']), ...flags];
  for (const words of [command, ['unshare', '-r', ...flags]]) {
    try {
      const [file = '', ...args] = words;
      execFileSync(file, [...args, 'true'], { stdio: 'ignore' });
      return words;
    } catch {}
  }
  throw new Error(
    `This test needs \`${command.join(' ')}\` on Linux: run it as root, or permit user namespaces to users`,
  );
}
