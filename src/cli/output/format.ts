/** The format of times and foreign names in output for people. */

import { escaped, replaceObeyed } from '../../validation/printable.js';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** Formats a duration in its two largest units: '6 h 12 min'. */
export function spanOf(ms: number): string {
  if (!Number.isFinite(ms)) return 'for ever';
  // Rounded to whole seconds; below one it is now.
  let left = Math.max(0, Math.round(ms / 1_000) * 1_000);
  const first = UNITS.findIndex(([, unitMs]) => left >= unitMs);
  if (first < 0) return '0 s';
  const words: string[] = [];
  for (const [unit, unitMs] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    if (count > 0) words.push(`${count} ${unit}`);
  }
  return words.join(' ');
}

export function instantOf(date: Date): string {
  // An operator's EXPIRE can exceed the range of dates.
  return Number.isNaN(date.getTime()) ? 'the end of time' : date.toISOString().replace(/\.\d+/, '');
}

/** Formats an instant, and its distance from `nowMs`: '2026-11-26T21:04:11Z (in 6 h 12 min)'. */
export function whenOf(date: Date, nowMs: number): string {
  const ms = date.getTime() - nowMs;
  if (Number.isNaN(ms)) return instantOf(date);
  return `${instantOf(date)} (${ms >= 0 ? `in ${spanOf(ms)}` : `${spanOf(-ms)} ago`})`;
}

/** Makes a foreign name safe for a terminal: cut, and without control characters. */
export function foreignName(name: string, most = 40): string {
  const clean = replaceObeyed(name, () => '?');
  const letters = [...clean];
  return letters.length > most ? `${letters.slice(0, most - 3).join('')}...` : clean;
}

/** Escapes control characters in JSON. Tabs and line ends may remain between its parts. */
export function escapedJson(json: string): string {
  return replaceObeyed(json, (found) => (found < ' ' ? found : escaped(found)));
}

/** Formats a foreign text, or a list of them, in quotes: as JSON, without control characters. */
export function quoted(value: unknown): string {
  return escapedJson(JSON.stringify(value));
}
