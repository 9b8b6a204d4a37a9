/** Command lines: verbs with their options and values, right and wrong, and words that people and scripts put there by mistake. */

import fc from 'fast-check';
import { jsonTexts } from './json-texts.js';
import { awkwardTexts, CANARY, texts } from './texts.js';

const spans = fc.oneof(
  { arbitrary: fc.constantFrom('1', '90', '90s', '15m', '2h', '0.5', '1d', '250ms'), weight: 6 },
  fc.constantFrom('0', '-1', '1e3', '', '5 parsecs', '99999999999y', '9'.repeat(41), CANARY),
  texts,
);
const others = fc.oneof({ arbitrary: fc.constantFrom('orders', 'billing', 'ann', CANARY), weight: 3 }, texts);
const names = fc.oneof({ arbitrary: fc.constantFrom('rewt', 'a', 'b'), weight: 4 }, texts);
const urls = fc.oneof(
  { arbitrary: fc.constantFrom('file:a', 'file:b/c'), weight: 4 },
  fc.constantFrom(
    'file:',
    'file://a',
    'file:~/a',
    'http://user:pass@host',
    `file:${'d'.repeat(300)}`,
    'file:a/data.mdb',
    'lmdb:a',
  ),
  texts.map((text) => `file:${text}`),
  texts,
);

const valued: Readonly<Record<string, fc.Arbitrary<string>>> = {
  '--expires-in': spans,
  '--not-before': spans,
  '--max-age': spans,
  '--ttl': spans,
  '--timeout': spans,
  '--seconds': spans,
  '--audience': others,
  '--issuer': others,
  '--subject': others,
  '--jwtid': others,
  '--replicas': fc.oneof(fc.constantFrom('0', '1', '-1', '1.5', 'NaN', ''), texts),
  '--namespace': names,
  '--url': urls,
};

const options = fc.oneof(
  ...Object.entries(valued).map(([name, value]) =>
    fc
      .tuple(value, fc.constantFrom('apart', 'apart', 'joined', 'missing'))
      .map(([word, form]) => (form === 'apart' ? [name, word] : [form === 'joined' ? `${name}=${word}` : name])),
  ),
);
const flags = fc.constantFrom(
  '--json',
  '--json',
  '--yes',
  '--force',
  '--help',
  '-h',
  '--',
  '-',
  '-x',
  '-hj',
  '--version',
);
const mistakes = fc.oneof(
  awkwardTexts.map((end) => `--audience${end}`),
  fc.constantFrom(
    '--audiense',
    '--exires-in',
    '--no-json',
    '--json=1',
    '--yes=no',
    '--constructor',
    '--__proto__',
    '--=',
    '--=x',
  ),
  texts.map((text) => `--${text}`),
);
const payloads = fc.oneof(texts, jsonTexts, fc.constantFrom(`{"user":"${CANARY}"}`, `{user:${CANARY}}`, 'a.b.c'));

const verbs = fc.oneof(
  { arbitrary: fc.constantFrom('sign', 'verify'), weight: 8 },
  {
    arbitrary: fc.constantFrom('rotate', 'revoke', 'status', 'explain', 'list', 'doctor', 'demo', 'help', '--version'),
    weight: 5,
  },
  fc.oneof(texts, mistakes, flags),
);

export const commandLines: fc.Arbitrary<readonly string[]> = fc
  .tuple(
    fc.array(verbs, { minLength: 0, maxLength: 1 }),
    fc.array(
      fc.oneof(
        { arbitrary: options, weight: 8 },
        { arbitrary: fc.oneof(flags, flags, mistakes).map((word) => [word]), weight: 2 },
        { arbitrary: payloads.map((word) => [word]), weight: 2 },
      ),
      { maxLength: 4 },
    ),
  )
  .map(([verb, rest]) => [...verb, ...rest.flat()]);
