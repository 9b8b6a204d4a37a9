/** What is published, and how programs in JavaScript use it. */
import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, node, project, type Scratch } from './scratch.js';

let scratch: Scratch;
beforeAll(async () => {
  scratch = await installPackage();
});
afterAll(() => scratch?.remove());

describe('the tarball', () => {
  const documents = ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
  // For those who use and run it; the others are for those who change it.
  const pages = ['docs/clients.md', 'docs/operations.md', 'docs/protocol.md'];
  const byHand = ['dist/cjs/index.cjs', 'dist/cjs/index.d.cts', 'dist/cjs/package.json'];

  it('holds the documents and what was compiled from the sources, and nothing else', () => {
    expect(scratch.files.filter((file) => !isCompiled(file))).toEqual([...documents, ...pages, ...byHand].sort());
  });

  it('is smaller than 150 kB', () => {
    expect(scratch.size).toBeLessThan(150_000);
  });

  it('has nothing for publint to report', async () => {
    const publint = join(project, 'node_modules/publint/src/cli.js');
    expect(await node(scratch.folder, publint, 'run', scratch.tarball, '--strict')).toMatch(/All good/);
  });

  it('has types that attw finds right for every resolution from node16 on', async () => {
    const attw = join(project, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const options = ['--profile', 'node16', '--no-definitely-typed', '--no-emoji', '--no-color', '--format', 'ascii'];
    expect(await node(scratch.folder, attw, scratch.tarball, ...options)).toMatch(/No problems found/);
  });
});

/** Of each source two files for each kind of module, and no maps. */
function isCompiled(file: string): boolean {
  const source = file.replace(/^dist\/(esm|cjs)\//, 'src/').replace(/(\.d\.ts|\.js)$/, '.ts');
  return source !== file && existsSync(join(project, source));
}

describe('programs in JavaScript', () => {
  it.each([
    ['require the class, and everything else by name', 'required.cjs'],
    ['import the class by default, and everything by name', 'imported.mjs'],
    ['import and require in one process, and know the errors of both', 'both.mjs'],
  ])('%s', async (_title, program) => {
    await copyFile(join(project, 'test/package/consumers', program), join(scratch.folder, program));
    expect(await node(scratch.folder, program)).toBe(program.replace(/\..*/, ''));
  });
});

describe('the command', () => {
  it('is there once the package is installed', async () => {
    expect(await node(scratch.folder, 'node_modules/.bin/rewt', '--help')).toMatch(/sign.*verify.*rotate/s);
  });
});
