/**
 * `npm run prose`: holds what a machine can hold of how the project is written. Prints each line
 * that is too long or has a banned word, each test file that is too long, each heading that is a
 * question, each dead link, and each long sentence, shared line and wide table cell of the pages.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const MAX_COLUMNS = 120;
const MAX_COMMENT_COLUMNS = 100;
const MAX_SUBJECT = 65;
const MAX_WORDS = 25;
const MAX_CELL = 80;
const MAX_TEST_LINES = 400;

/** Words that hide who acts, and words of speech and hearing where nothing speaks. */
const BANNED =
  /\b(nobody|somebody|whoever|hears?|heard|told|tells|said|an ear|sees to|all the same|last word|of its own accord)\b/i;
const QUESTION = /^#+ (?:\d+\. )?(?:What|How|Where|Who|Whether|Why|Of)\b/;
/** Between two sentences of one line. */
const GAP = /(?<=[.!?][*)"']*) +(?=[A-Z`*["(<]|rewt\b)/g;
const SENTENCE_END = /[.!?:;][*)"'`]*$/;
const BULLET = /^\s*(?:[*-] |\d+\. )/;
const TABLE_RULE = /^[\s|:-]+$/;

/** History: what was decided, or released, stays as it was written. */
const isHistory = (file) => /^docs\/adr\/|^CHANGELOG\.md$/.test(file);
const isCode = (file) => /\.(?:c?ts|js)$/.test(file);
const isPage = (file) => file.endsWith('.md');
const isComment = (line) => /^\s*(?:\/\*\*|\*|\/\/)/.test(line);

/** @returns {string[]} */
export function faultsIn(file, text) {
  return isPage(file) ? faultsInPage(file, text) : faultsInCode(file, text);
}

function faultsInCode(file, text) {
  const lines = text.trimEnd().split('\n');
  const isLong = file.startsWith('test/') && lines.length > MAX_TEST_LINES;
  return [
    ...(isLong ? [`${file}: ${lines.length} lines, at most ${MAX_TEST_LINES}: split it by idea`] : []),
    ...faultsInLines(file, lines),
  ];
}

function faultsInLines(file, lines) {
  return lines.flatMap((line, index) => {
    const most = isComment(line) ? MAX_COMMENT_COLUMNS : MAX_COLUMNS;
    const faults = line.length > most ? [`${line.length} columns, at most ${most}`] : [];
    if (file.startsWith('src/') && isComment(line)) faults.push(...bannedIn(line));
    return faults.map((fault) => `${file}:${index + 1}: ${fault}`);
  });
}

function faultsInPage(file, text) {
  if (isHistory(file)) return deadLinks(file, text);
  const lines = text.split('\n');
  let isFenced = false;
  const faults = lines.flatMap((line, index) => {
    const isFence = line.trimStart().startsWith('```');
    if (isFence) isFenced = !isFenced;
    if (isFenced || isFence) return [];
    return [...bannedIn(maskCode(line)), ...styleOf(line, lines[index + 1] ?? '')].map(
      (fault) => `${file}:${index + 1}: ${fault}`,
    );
  });
  return [...faults, ...deadLinks(file, text)];
}

function bannedIn(line) {
  const banned = BANNED.exec(line);
  return banned === null ? [] : [`'${banned[0]}': name who acts, and what it does`];
}

function styleOf(line, following) {
  if (line.startsWith('#')) return QUESTION.test(line) ? ['a heading names its topic'] : [];
  if (line.startsWith('|')) return TABLE_RULE.test(line) ? [] : wideCells(line);
  if (line.trim() === '' || line.startsWith('![')) return [];
  const sentences = sentencesIn(line.replace(BULLET, ''));
  const faults = sentences.length > 1 ? [`${sentences.length} sentences in one line`] : [];
  const longest = Math.max(...sentences.map(wordsIn));
  if (longest > MAX_WORDS) faults.push(`a sentence of ${longest} words, at most ${MAX_WORDS}`);
  if (isContinuation(following) && !SENTENCE_END.test(line)) faults.push('a sentence in two lines');
  return faults;
}

function wideCells(row) {
  const widest = Math.max(
    ...asRead(row)
      .split('|')
      .map((cell) => cell.trim().length),
  );
  return widest > MAX_CELL ? [`a cell of ${widest} characters, at most ${MAX_CELL}`] : [];
}

/** @returns {string[]} */
export function sentencesIn(text) {
  const masked = maskCode(text);
  const gaps = [...masked.matchAll(GAP)];
  const starts = [0, ...gaps.map(({ 0: gap, index }) => index + gap.length)];
  const ends = [...gaps.map(({ index }) => index), text.length];
  return starts.map((start, index) => text.slice(start, ends[index]));
}

const isContinuation = (line) => /^\s*[^\s|#>]/.test(line) && !BULLET.test(line) && !/^\s*(?:```|<)/.test(line);

const wordsIn = (sentence) =>
  asRead(sentence)
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

/** A link is read as its text, and code as one word. */
const asRead = (text) => maskCode(text).replace(/\]\([^)]*\)/g, ']');

const maskCode = (text) => text.replace(/`[^`]*`/g, (code) => code.replace(/[^`]/g, 'x'));

/** Relative links of a page that lead to no file, or to no heading. */
function deadLinks(file, text) {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^(?:https?|mailto):/.test(target)) return [];
    const [path, anchor] = target.split('#');
    const to = path === '' ? file : normalize(join(dirname(file), path));
    if (!existsSync(join(project, to))) return [`${file}: ${target} leads to no file`];
    if (anchor === undefined || !isPage(to)) return [];
    return anchorsOf(readFileSync(join(project, to), 'utf8')).includes(anchor)
      ? []
      : [`${file}: ${target} leads to no heading`];
  });
}

/** As GitHub makes them. */
function anchorsOf(text) {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const git = (...words) =>
  execFileSync('git', words, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** Commits since the last tag; if there is none, the last thirty. */
function longSubjects() {
  let since = ['-30'];
  try {
    since = [`${git('describe', '--tags', '--abbrev=0').trim()}..HEAD`];
  } catch {
    // No tag yet.
  }
  return git('log', '--format=%h %s', ...since)
    .split('\n')
    .filter((line) => line.slice(line.indexOf(' ') + 1).length > MAX_SUBJECT)
    .map((line) => `commit ${line}: a subject has at most ${MAX_SUBJECT} characters`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = git('ls-files', '-z')
    .split('\0')
    .filter((file) => (isCode(file) || isPage(file)) && existsSync(join(project, file)));
  const faults = [
    ...files.flatMap((file) => faultsIn(file, readFileSync(join(project, file), 'utf8'))),
    ...longSubjects(),
  ];
  for (const fault of faults) console.log(fault);
  console.log(`${faults.length} faults in ${files.length} files`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
