/**
 * Fails if this commit cannot be released: metadata that is empty, a tree that is not clean, a
 * version that CHANGELOG.md has no heading for. The release workflow and `npm publish` run it.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/**
 * @param {{ manifest: Record<string, any>, changelog: string, status: string }} release
 *   package.json, CHANGELOG.md, and the output of `git status --porcelain`
 * @returns {string[]} sentences, each with its remedy
 */
export function releaseFaults({ manifest, changelog, status }) {
  const empty = ['homepage', 'repository', 'bugs'].filter((field) => !isAddress(manifest[field]));
  const headings = [...changelog.matchAll(/^## (\S+)/gm)].map(([, first]) => first);
  return [
    ...empty.map((field) => `package.json: '${field}' is no URL. Fill in the three fields below 'license'.`),
    ...(headings.includes(manifest.version)
      ? []
      : [`CHANGELOG.md: no heading '## ${manifest.version}'. Rename 'Unreleased', and add the date.`]),
    ...(status === '' ? [] : [`The tree is not clean. Commit or remove:\n${status}`]),
  ];
}

function isAddress(field) {
  return /^(?:git\+)?https:\/\/./.test(field?.url ?? field ?? '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const faults = releaseFaults({
    manifest: JSON.parse(readFileSync('package.json', 'utf8')),
    changelog: readFileSync('CHANGELOG.md', 'utf8'),
    status: execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' }),
  });
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
