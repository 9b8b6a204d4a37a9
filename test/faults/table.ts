/** The table of the fault suite: one row per fault, as text or as what a program reads. */
import { brokenPromises, type Row } from './stage.js';

const columns: readonly (readonly [title: string, cell: (row: Row) => string])[] = [
  ['what happens', ({ fault }) => fault.title],
  ['operations', ({ operations }) => String(operations)],
  ['failed (503)', ({ unavailable }) => String(Object.values(unavailable).reduce((sum, times) => sum + times, 0))],
  ['longest unavailable', ({ longestUnavailableMs }) => inMs(longestUnavailableMs)],
  ['slowest answer', ({ slowestMs }) => inMs(slowestMs)],
  ['rotations', ({ rotations }) => String(rotations)],
  ['revocations', ({ spreadMs }) => String(spreadMs.length)],
  [
    'last member refused, after revoke(): p50, p99, max',
    ({ spreadMs }) => [0.5, 0.99, 1].map((part) => inMs(quantile(spreadMs, part))).join(', '),
  ],
];

const inMs = (ms: number): string => (Number.isNaN(ms) ? '-' : `${Math.round(ms)} ms`);

/** The smallest of ascending values that so large a part of them does not exceed; NaN of none. */
function quantile(ascending: readonly number[], part: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * part) - 1)] ?? Number.NaN;
}

export const heading: string =
  `| ${columns.map(([title]) => title).join(' | ')} |\n` +
  `|${columns.map((_, index) => (index ? '---:' : '---')).join('|')}|`;

export const line = (row: Row): string => `| ${columns.map(([, cell]) => cell(row)).join(' | ')} |`;

/** For `--json`. */
export function plain(row: Row): object {
  const { fault, spreadMs, ...counts } = row;
  return {
    fault: fault.name,
    title: fault.title,
    ...counts,
    lastRefusedMs: Object.fromEntries(
      [0.5, 0.99, 1].map((part) => [part === 1 ? 'max' : `p${part * 100}`, quantile(spreadMs, part)]),
    ),
    broken: brokenPromises(row),
  };
}
