/** Command lines: verbs with options and values, right, wrong, and put there by mistake. */

import fc from 'fast-check';
import { jsonTexts } from './json-texts.js';
import { awkwardTexts, CANARY, mostly, texts, wordsOf } from './texts.js';

const spans = mostly(
  3,
  wordsOf('1 90 90s 15m 2h 0.5 1d 250ms'),
  fc.constantFrom('0', '-1', '1e3', '', '5 parsecs', '99999999999y', '9'.repeat(41), CANARY),
  texts,
);
const others = mostly(3, wordsOf(`orders billing ann ${CANARY}`), texts);
/** Names of keyrings and folders, which are printed. */
const places = texts.map((text) => text.replaceAll(CANARY, 'name'));
const urls = mostly(
  4,
  wordsOf('file:a file:b/c'),
  wordsOf(`file: file://a file:~/a http://user:pass@host file:${'d'.repeat(300)} file:a/data.mdb lmdb:a`),
  places.map((place) => `file:${place}`),
  texts,
);

const valued: readonly (readonly [names: string, values: fc.Arbitrary<string>])[] = [
  ['--expires-in --not-before --max-age --ttl --timeout', spans],
  ['--audience --issuer --subject --jwtid', others],
  ['--replicas', mostly(1, fc.constantFrom('0', '1', '-1', '1.5', 'NaN', ''), texts)],
  ['--namespace', mostly(4, wordsOf('rewt a b'), places)],
  ['--url', urls],
  ['--role', wordsOf('member verifier reader operator admin')],
  ['--redis', wordsOf('6 6.2 7 8.0.1 5 x')],
];

const options = fc.oneof(
  ...valued.flatMap(([names, values]) =>
    names.split(' ').map((name) =>
      mostly<readonly string[]>(
        2,
        values.map((word) => [name, word]),
        values.map((word) => [`${name}=${word}`]),
        fc.constant([name]),
      ),
    ),
  ),
);
const flags = wordsOf('--json --json --yes --force --push --help -h -- - -x -hj --version');
const mistakes = fc.oneof(
  awkwardTexts.map((end) => `--audience${end}`),
  wordsOf('--audiense --exires-in --no-json --json=1 --yes=no --constructor --__proto__ --= --=x'),
  texts.map((text) => `--${text}`),
);
const payloads = fc.oneof(texts, jsonTexts, wordsOf(`{"user":"${CANARY}"} {user:${CANARY}} a.b.c`));

const verbs = fc.oneof(
  { arbitrary: wordsOf('sign verify'), weight: 8 },
  { arbitrary: wordsOf('rotate revoke status explain list doctor acl help --version'), weight: 5 },
  fc.oneof(texts, mistakes, flags),
);

/** Options with their values, beside words alone. */
const rest = mostly<readonly string[]>(
  4,
  options,
  mostly(2, flags, mistakes).map((word) => [word]),
  payloads.map((word) => [word]),
);

export const commandLines: fc.Arbitrary<readonly string[]> = fc
  .tuple(fc.array(verbs, { maxLength: 1 }), fc.array(rest, { maxLength: 4 }))
  .map(([verb, more]) => [...verb, ...more.flat()]);
