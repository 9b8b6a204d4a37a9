/** examples/README.md and what is there. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project } from '../package/scratch.js';
import { textOf } from './example.js';

const entries = readdirSync(join(project, 'examples'), { withFileTypes: true });
const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);

const hasPackage = (folder: string) => existsSync(join(project, 'examples', folder, 'package.json'));

describe('the list of examples', () => {
  it('has each of them, and each tells what it is', () => {
    const listed = [...textOf('README.md').matchAll(/^\| \[(\w+)\]\(\1\/README\.md\)/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual(folders.sort());
    for (const folder of folders) expect(textOf(`${folder}/README.md`)).toMatch(/^# /);
  });

  it('has no package.json in between, or the name rewt would not be found in this repository', () => {
    const inBetween = ['.', ...folders].filter((folder) => hasPackage(folder));
    expect(inBetween).toEqual(['kms']);
  });

  it('has no program that imports rewt by its name in the folder with a package.json', () => {
    const programs = readdirSync(join(project, 'examples/kms')).filter((name) => name.endsWith('.js'));
    expect(programs.sort()).toEqual(['aws.js', 'google.js', 'vault.js']);
    for (const program of programs) expect(textOf(`kms/${program}`), program).not.toMatch(/['"]rewt(?:\/|['"])/);
  });

  it('speaks of alerts and metrics that are there', () => {
    const readme = textOf('observability/README.md');
    const rules = textOf('observability/prometheus-rules.yml');
    const alerts = readme.match(/Rewt[A-Z]\w+/g) ?? [];
    const metrics = (readme.match(/rewt_\w+_seconds/g) ?? []).map((name) => name.replace('_seconds', '(_seconds)?'));
    expect(alerts.length * metrics.length).toBeGreaterThan(0);
    for (const name of [...alerts, ...metrics]) expect(rules).toContain(name);
  });
});
