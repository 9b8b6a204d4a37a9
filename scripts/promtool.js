/**
 * Makes sure of promtool, which tests the alerts for Prometheus. On Debian it is unpacked:
 * installing its package would start a server.
 */

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unpackDebian } from './debian-packages.js';
import { ensureProgram, findProgram, printIfRun } from './system-program.js';

const promtool = {
  program: 'promtool',
  variable: 'REWT_PROMTOOL',
  packages: { dnf: 'prometheus', apk: 'prometheus', brew: 'prometheus' },
};

const folder = fileURLToPath(new URL('../node_modules/.cache/rewt-promtool', import.meta.url));
const unpacked = join(folder, 'root/usr/bin/promtool');

/** The path, or null. */
export const findPromtool = () => findProgram(promtool) ?? (existsSync(unpacked) ? unpacked : null);

/**
 * The path; unpacked or installed first if there is none. @throws {Error} a sentence that says what
 * to do
 */
export function ensurePromtool() {
  const found = findPromtool();
  if (found !== null) return found;
  if (findProgram({ program: 'apt-get', variable: '' }) === null) return ensureProgram(promtool);
  rmSync(folder, { recursive: true, force: true });
  try {
    unpackDebian(folder, ['bookworm'], 'prometheus', { alone: true });
  } catch (error) {
    throw new Error(`The tests need promtool (Prometheus): name one in REWT_PROMTOOL. ${error.message}`);
  }
  return unpacked;
}

printIfRun(import.meta.url, ensurePromtool);
