/** Changes an input and keeps it of its kind: texts stay texts, lists lists, and what is put in comes from the same place in another input. */

import { Random } from '../sim/random.js';
import type { Json } from './target.js';

type Path = readonly (string | number)[];

const nasty = ['', '.', '"', '\\', '{', '[', ':', ',', '=', ' ', '\n', '\0', '-', '0', 'é', '\ud800', 'A', '__proto__'];
const limits = [0, 1, -1, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 8.64e15, 1e308, 0.5];

export class Mutator {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed, 'mutations');
  }

  /** @param corpus inputs that led somewhere; not empty. */
  next(corpus: readonly Json[]): Json {
    let input = this.#random.pick(corpus);
    const times = 1 + Math.floor(this.#random.next() * 3);
    for (let time = 0; time < times; time += 1) {
      const path = this.#random.pick([...pathsOf(input)]);
      const other = this.#random.pick(corpus);
      input = replacedAt(input, path, this.#changed(at(input, path), at(other, path)));
    }
    return input;
  }

  #changed(node: Json | undefined, other: Json | undefined): Json {
    if (node === undefined) return null;
    if (other !== undefined && kindOf(other) === kindOf(node) && this.#random.chance(0.2)) return other;
    if (typeof node === 'string') return this.#changedText(node, typeof other === 'string' ? other : '');
    if (typeof node === 'number') return this.#changedNumber(node);
    if (typeof node === 'boolean') return !node;
    return Array.isArray(node) ? this.#changedList(node) : node;
  }

  #changedText(text: string, other: string): string {
    const [one, two] = [this.#place(text), this.#place(text)];
    const [from, to] = [Math.min(one, two), Math.max(one, two)];
    const putIn = (piece: string) => text.slice(0, from) + piece + text.slice(from);
    return this.#random.pick([
      () => text.slice(0, from) + text.slice(to),
      () => putIn(text.slice(from, Math.min(to, from + 2_000))),
      () => putIn(this.#random.pick(nasty)),
      () => putIn(String.fromCharCode(Math.floor(this.#random.between(0, this.#random.chance(0.8) ? 128 : 65_536)))),
      () => text.slice(0, from) + this.#random.pick(nasty) + text.slice(from + 1),
      () => text.slice(0, from) + other.slice(this.#place(other)),
    ])();
  }

  #place(text: string): number {
    return Math.floor(this.#random.next() * (text.length + 1));
  }

  #changedNumber(number: number): number {
    const { pick } = { pick: this.#random.pick.bind(this.#random) };
    return pick([number + 1, number - 1, -number, number * 2, Math.floor(number / 2), ...limits]);
  }

  #changedList(list: readonly Json[]): Json {
    if (list.length === 0) return list;
    const index = Math.floor(this.#random.next() * list.length);
    const item = list[index] as Json;
    return this.#random.pick([list.toSpliced(index, 1), list.toSpliced(index, 0, item), list.toReversed()]);
  }
}

/** Every place in an input, itself included. */
export function* pathsOf(input: Json, path: Path = []): Generator<Path> {
  yield path;
  if (typeof input !== 'object' || input === null) return;
  for (const [name, member] of Object.entries(input)) {
    yield* pathsOf(member as Json, [...path, Array.isArray(input) ? Number(name) : name]);
  }
}

export function at(input: Json, path: Path): Json | undefined {
  return path.reduce<Json | undefined>(
    (node, step) =>
      typeof node === 'object' && node !== null && Object.hasOwn(node, step)
        ? (node as Record<string | number, Json>)[step]
        : undefined,
    input,
  );
}

export function replacedAt(input: Json, [step, ...rest]: Path, node: Json): Json {
  if (step === undefined) return node;
  const child = replacedAt(at(input, [step]) ?? null, rest, node);
  if (Array.isArray(input)) return input.with(Number(step), child);
  // Not a spread with a computed name, for the sake of `__proto__`.
  return Object.fromEntries(Object.entries(input as object).map(([name, old]) => [name, name === step ? child : old]));
}

function kindOf(node: Json): string {
  return Array.isArray(node) ? 'list' : node === null ? 'null' : typeof node;
}
