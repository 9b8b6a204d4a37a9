import { expect, it } from 'vitest';
import { printable, replaceObeyed } from '../../src/validation/printable.js';

it.each([
  ['C0 control characters and DEL', 'a\u001b[31m\t\n\u007f', 'a\\u001b[31m\\u0009\\u000a\\u007f'],
  ['C1 control characters', '\u0085\u009b', '\\u0085\\u009b'],
  ['characters that change the direction', '\u202e\u2066', '\\u202e\\u2066'],
  ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
  ['half a pair', '\ud800x\udc00', '\\ud800x\\udc00'],
  ['a tag, which is a pair', '\u{e0001}', '\\udb40\\udc01'],
])('%s are escaped', (_, text, expected) => {
  expect(printable(text)).toBe(expected);
});

it('every other text stays', () => {
  const text = '/srv/Žluťoučký kůň/\'é😀\'/漢字 \\ "a"\u00a0';
  expect(printable(text)).toBe(text);
});

it('a replacement is given each character once', () => {
  expect(replaceObeyed('a\u{e0001}b\u001b', (found) => `<${found.length}>`)).toBe('a<2>b<1>');
});
