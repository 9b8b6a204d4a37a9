/**
 * The rule of `npm run test:quick`: a test is quick if it, with all that it imports of test/ and
 * scripts/, starts no process, listens on no port and touches no file. A new test joins by itself.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));
const OUTSIDE = /^node:(?:child_process|cluster|worker_threads|fs|https?|net|tls)(?:\/|$)/;
const IMPORT = /^(?:import|export)\s(?!type\b)[^'"]*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

/** By path: so far, a file that imports itself on a detour is as quick as the rest of it. */
const known = new Map<string, boolean>();

/** Tests whether a file of the project needs no more than memory and a processor. */
export function isQuick(path: string): boolean {
  const answer = known.get(path);
  if (answer !== undefined) return answer;
  known.set(path, true);
  const isIt = importsOf(path).every((name) => isHarmless(path, name));
  known.set(path, isIt);
  return isIt;
}

/** Tests whether a file replaces modules, which others then must not share with it. */
export function replacesModules(path: string): boolean {
  return /\bvi\.(?:mock|doMock|resetModules)\(/.test(textOf(path) ?? '');
}

export const testFiles: readonly string[] = readdirSync(join(project, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => `test/${path}`)
  .toSorted();

function isHarmless(from: string, name: string): boolean {
  if (!name.startsWith('.')) return !OUTSIDE.test(name);
  const path = normalize(join(dirname(from), name));
  return path.startsWith('src/') || (!path.startsWith('dist/') && isQuick(path));
}

function importsOf(path: string): readonly string[] {
  const text = textOf(path.replace(/\.js$/, '.ts')) ?? textOf(path) ?? '';
  return [...text.matchAll(IMPORT)].map(([, name, dynamic]) => name ?? dynamic ?? '');
}

function textOf(path: string): string | null {
  try {
    return readFileSync(join(project, path), 'utf8');
  } catch {
    return null;
  }
}
