/** What has to hold before a release, and what its workflow runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { releaseFaults } from '../../scripts/release-check.js';
import { project } from './scratch.js';

const url = 'https://example.com/rewt';
const ready = {
  manifest: { version: '3.1.0', homepage: url, repository: { type: 'git', url: `git+${url}.git` }, bugs: { url } },
  changelog: '# Changelog\n\n## 3.1.0 (2026-11-29)\n\n## 3.0.0\n',
  status: '',
};

describe('the release check', () => {
  it('has nothing against a clean tree with metadata and an entry in the changelog', () => {
    expect(releaseFaults(ready)).toEqual([]);
  });

  it.each(['homepage', 'repository', 'bugs'])('fails while %s is empty', (field) => {
    for (const empty of ['', { url: '' }, undefined]) {
      const manifest = { ...ready.manifest, [field]: empty };
      expect(releaseFaults({ ...ready, manifest })).toEqual([expect.stringContaining(`'${field}'`)]);
    }
  });

  it('fails for a version without a heading in the changelog', () => {
    const changelog = '## Unreleased: 3.1.0\n\n## 3.1.0-alpha.0\n';
    expect(releaseFaults({ ...ready, changelog })).toEqual([expect.stringContaining("'## 3.1.0'")]);
  });

  it('fails for a tree that is not clean, and names the files', () => {
    expect(releaseFaults({ ...ready, status: ' M src/index.ts\n' })).toEqual([expect.stringContaining('src/index.ts')]);
  });
});

describe('the workflows', () => {
  const folder = join(project, '.github/workflows');
  const steps = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));

  it('pin every action by its full commit', () => {
    const actions = steps.filter((line) => /^\s*(?:- )?uses:/.test(line));
    expect(actions.length).toBeGreaterThan(0);
    expect(actions.filter((line) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  it('run scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    const named = steps.flatMap((line) => /npm run (\S+)/.exec(line)?.[1] ?? []);
    expect(named).toContain('test:servers');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
