/** What is published, and what its users get in JavaScript. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, node, project, type Scratch } from './scratch.js';

let scratch: Scratch;
beforeAll(async () => {
  scratch = await installPackage();
});
afterAll(() => scratch?.remove());

describe('the tarball', () => {
  it('holds the documents and the compiled sources, and nothing else', () => {
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
    expect(scratch.files.filter((file) => !file.startsWith('dist/'))).toEqual(documents);
    const strange = scratch.files
      .filter((file) => file.startsWith('dist/') && !/^dist\/(esm|cjs)\/([a-z0-9/-]+(\.d\.ts|\.js))$/.test(file))
      .filter((file) => /(test|spec)/.test(file) || !/^dist\/cjs\/(package\.json|index(\.d)?\.cts|index\.cjs)$/.test(file));
    expect(strange).toEqual([]);
  });

  it('is smaller than 200 kB', () => {
    expect(scratch.size).toBeLessThan(200_000);
  });

  it('has no fault that publint knows', async () => {
    const publint = join(project, 'node_modules/publint/src/cli.js');
    await node(scratch.folder, publint, 'run', scratch.tarball, '--strict');
  });

  it('has types that are right for every way of resolution that attw knows, from node16 on', async () => {
    const attw = join(project, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    await node(scratch.folder, attw, scratch.tarball, '--profile', 'node16', '--no-definitely-typed', '--no-color');
  });
});
