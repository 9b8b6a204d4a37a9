/** Makes an input smaller for as long as it shows the same fault: what can be left out is left out, what is left is made plain. */

import { at, pathsOf, replacedAt } from './mutate.js';
import type { Json } from './target.js';

export interface Patience {
  readonly attempts: number;
  readonly ms: number;
}

/** @param shows whether an input still shows the fault. */
export async function shrink(
  input: Json,
  shows: (smaller: Json) => Promise<boolean>,
  { attempts, ms }: Patience,
): Promise<Json> {
  const endMs = performance.now() + ms;
  let smallest = input;
  let left = attempts;
  for (let improved = true; improved; ) {
    improved = false;
    for (const candidate of smallerThan(smallest)) {
      if (left <= 0 || performance.now() > endMs) return smallest;
      left -= 1;
      if (!(await shows(candidate))) continue;
      smallest = candidate;
      improved = true;
      break;
    }
  }
  return smallest;
}

/** Each differs in one place and is simpler there; big steps first. */
function* smallerThan(input: Json): Generator<Json> {
  const paths = [...pathsOf(input)];
  for (const path of paths) {
    const node = at(input, path);
    if (node === undefined) continue;
    for (const simpler of simplerThan(node)) yield replacedAt(input, path, simpler);
  }
}

function* simplerThan(node: Json): Generator<Json> {
  if (typeof node === 'string') yield* shorter(node);
  else if (typeof node === 'number' && node !== 0) yield* [0, Math.trunc(node / 2)].filter((less) => less !== node);
  else if (node === true) yield false;
  else if (Array.isArray(node)) {
    if (node.length > 0) yield [];
    if (node.length > 3) yield* [node.slice(0, node.length / 2), node.slice(node.length / 2)];
    for (const index of node.keys()) yield node.toSpliced(index, 1);
  } else if (typeof node === 'object' && node !== null) {
    // A recipe in place of one that it is part of; where that is no recipe, it is not playable. A record has to stay one.
    const members: readonly Json[] = Object.values(node);
    if (members.length === 1 || 'proxy' in node) yield* members;
  }
}

function* shorter(text: string): Generator<string> {
  if (text === '') return;
  yield '';
  for (let length = text.length >> 1; length > 0; length >>= 1) {
    // All pieces of a short text, the ends of a long one.
    const step = Math.max(length, Math.ceil(text.length / 64));
    for (let from = 0; from < text.length; from += step) yield text.slice(0, from) + text.slice(from + length);
  }
}
