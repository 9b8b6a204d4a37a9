/** What `npm run sim`, `fuzz` and `faults` do with their words. */
import { afterEach, expect, it, vi } from 'vitest';
import { ordersIn } from './support/orders.js';

const options = { seed: { type: 'string' } } as const;
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

it.each([
  ['--help', undefined, /^the help$/],
  ['--sead', 2, /'--sead'; did you mean '--seed'\?\n\nthe help$/],
  ['word', 2, /a word too many.*\n\nthe help$/],
] as const)('%s is answered with the help, and without a stack trace', (word, code, words) => {
  const printed: string[] = [];
  for (const stream of ['log', 'error'] as const)
    vi.spyOn(console, stream).mockImplementation((line: string) => void printed.push(line));
  expect(ordersIn([word], options, 'the help')).toBeNull();
  expect(process.exitCode).toBe(code);
  expect(printed.join('\n')).toMatch(words);
});
