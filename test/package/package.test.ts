/** What is published, and how programs in JavaScript use it. */
import { readFileSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, parse, relative } from 'node:path';
import { compileFunction } from 'node:vm';
import { build } from 'rolldown';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as api from '../../src/index.js';
import { installBeside, installPackage, node, project, type Scratch } from './scratch.js';

let scratch: Scratch;
beforeAll(async () => {
  scratch = await installPackage();
  await installBeside(scratch, ['fastify']);
});
afterAll(() => scratch?.remove());

describe('the tarball', () => {
  const documents = ['LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
  // For those who use and run it; the others are for those who change it.
  const pages = [
    'clients',
    'command',
    'cookbook',
    'errors',
    'fetch',
    'http',
    'managed-redis',
    'operations',
    'protocol',
    'serve',
    'testing-your-service',
  ].map((page) => `docs/${page}.md`);
  const required = ['dist/cjs/index.d.cts', 'dist/cjs/package.json'];
  const command = ['address', 'main', 'verbs', 'demo/caller', 'demo/server', 'demo/shared'].map(
    (name) => `cli/${name}`,
  );
  const shared = ['core', 'http/shared', 'observe/metrics'];

  it('holds the documents, few files of JavaScript, and of the types those that the entries lead to, and nothing else', () => {
    const types = typesFromEntries();
    expect(types).toContain('dist/cjs/rewt.d.ts');
    const javascript = [...entries(), ...shared, ...command].map((path) => `dist/cjs/${path}.cjs`);
    const imported = entries().map((path) => `dist/esm/${path}.js`);
    expect(scratch.files).toEqual([...documents, ...pages, ...required, ...javascript, ...imported, ...types].sort());
  });

  it('is smaller than its ceilings', () => {
    // More than half of it are the command and what is imported by its own name: a program loads what it imports.
    // The embedded store is 26 kB of what is installed, in place of a package of 21 MB.
    expect(scratch.packedSize).toBeLessThan(224_000);
    expect(scratch.installedSize).toBeLessThan(740_000);
    expect(scratch.files.length).toBeLessThan(98);
  });

  it('has no link in its documents that leads to a file outside of it', () => {
    const dead = scratch.files
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) => {
        const text = readFileSync(join(scratch.folder, 'node_modules/rewt', path), 'utf8');
        const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
        const files = targets
          .filter((target) => !/^(https?:|#)/.test(target))
          .map((target) => target.replace(/#.*/, ''));
        return files
          .filter((file) => !scratch.files.includes(join(path, '..', file)))
          .map((file) => `${path}: ${file}`);
      });
    expect(dead).toEqual([]);
  });

  it('has no script that npm would run, or warn of, when it is installed', () => {
    const { scripts } = JSON.parse(readFileSync(join(scratch.folder, 'node_modules/rewt/package.json'), 'utf8'));
    const hooks = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'];
    expect(Object.keys(scripts).filter((name) => hooks.includes(name))).toEqual([]);
  });

  it('has nothing for publint to report', async () => {
    const publint = join(project, 'node_modules/publint/src/cli.js');
    expect(await node(scratch.folder, publint, 'run', scratch.tarball, '--strict')).toMatch(/All good/);
  });

  it('has types that attw finds right for every resolution from node16 on', async () => {
    const attw = join(project, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const options = ['--profile', 'node16', '--no-definitely-typed', '--no-emoji', '--no-color', '--format', 'ascii'];
    const verdicts =
      (await node(scratch.folder, attw, scratch.tarball, ...options)).match(/^(node16|bundler).*:.*/gm) ?? [];
    // Three for each entry. What it ignores, node10, it lists all the same: package exports, and so subpaths, are unknown there.
    expect(verdicts.length).toBeGreaterThan(6 * 3);
    expect(verdicts.filter((verdict) => !/: OK/.test(verdict))).toEqual([]);
  });
});

/** By their paths below dist/esm and dist/cjs, without endings. */
function entries(): string[] {
  const { exports } = JSON.parse(readFileSync(join(scratch.folder, 'node_modules/rewt/package.json'), 'utf8')) as {
    exports: Record<string, { import?: { default: string } }>;
  };
  return Object.values(exports).flatMap(
    (entry) => /^\.\/dist\/esm\/(.*)\.js$/.exec(entry.import?.default ?? '')?.[1] ?? [],
  );
}

/** The types of the entries, and all that they lead to within the package. */
function typesFromEntries(): string[] {
  const installed = join(scratch.folder, 'node_modules/rewt');
  const roots = entries().map((path) => join(installed, 'dist/esm', `${path}.d.ts`));
  const program = ts.createProgram(roots, { noLib: true, types: [] });
  const files = program.getSourceFiles().map(({ fileName }) => relative(installed, fileName));
  // Those of a framework are not ours.
  return files.filter((file) => !file.startsWith('..'));
}

describe('the library', () => {
  let source: string;
  beforeAll(async () => {
    source = await readFile(join(scratch.folder, 'node_modules/rewt/dist/cjs/core.cjs'), 'utf8');
  });

  it('loads nothing at its start but these modules of Node, the only ones that cost little', () => {
    const loaded = source.matchAll(/^let \w+ = require\("([^"]+)"/gm);
    const few = ['node:async_hooks', 'node:crypto', 'node:diagnostics_channel', 'node:path', 'node:timers/promises'];
    expect([...loaded].map(([, name]) => name).sort()).toEqual(few);
  });

  it('is made of our sources, each under its name, and of no package', () => {
    const sources = [...source.matchAll(/^\/\/ (.*)$/gm)].map(([, name]) => name ?? '');
    expect(sources).toContain('src/keyring/member.ts');
    expect(sources.filter((name) => !/^src\/(?!cli\/).*\.ts$/.test(name) && name !== '\\0rolldown/runtime.js')).toEqual(
      [],
    );
  });

  it('is text that V8 keeps in one byte for each character', () => {
    expect(source).toMatch(/^[\t\n -~]*$/);
  });
});

describe('programs in JavaScript', () => {
  it.each([
    ['require the class, and everything else by name', 'required.cjs'],
    ['import the class by default, and everything by name', 'imported.mjs'],
    ['import and require the same in one process', 'both.mjs'],
    ['require what stands in front of routes', 'http-required.cjs'],
    ['import what stands in front of routes', 'http-imported.mjs'],
  ])('%s', async (_title, program) => {
    await copyFile(join(project, 'test/package/consumers', program), join(scratch.folder, program));
    expect(await node(scratch.folder, program)).toBe(program.replace(/\..*/, ''));
  });
});

describe('a bundle of one file', () => {
  it.each(['imported.mjs', 'required.cjs'])('of %s does what the program does', async (program) => {
    const input = join(scratch.folder, program);
    await copyFile(join(project, 'test/package/consumers', program), input);
    const { name } = parse(program);
    const file = join(scratch.folder, 'bundles', `${name}.mjs`);
    const output = { file, codeSplitting: false };
    await build({ input, platform: 'node', logLevel: 'warn', output });
    expect(await node(scratch.folder, file)).toBe(name);
  });
});

describe('what stands in front of routes', () => {
  it.each(['express', 'fastify', 'hono', 'koa', 'node', 'web'])(
    'loads nothing of a framework in rewt/%s',
    async (name) => {
      const source = await readFile(join(scratch.folder, `node_modules/rewt/dist/cjs/http/${name}.cjs`), 'utf8');
      const loaded = [...source.matchAll(/require\("([^"]+)"/g)].map(([, path]) => path);
      expect(loaded).toEqual(['./shared.cjs']);
      expect(source).toMatch(/^[\t\n -~]*$/);
    },
  );
});

describe('a runtime of CommonJS in which import() fails, as in Jest', () => {
  it('can use the store in a folder', async () => {
    const source = await readFile(join(scratch.folder, 'node_modules/rewt/dist/cjs/core.cjs'), 'utf8');
    const module = { exports: {} as typeof api };
    const run = compileFunction(source, ['module', 'exports', 'require']);
    run(module, module.exports, createRequire(import.meta.url));
    const store = module.exports.fileStore({ path: join(scratch.folder, 'keyring') });
    expect(await store.read('rewt', { timeoutMs: 5_000 })).toMatchObject({ ring: null });
    await store.close();
  });
});

describe('errors', () => {
  it.each([
    ['import', '--input-type=module', "import Rewt, { memoryStore } from 'rewt';"],
    ['require', '--input-type=commonjs', "const Rewt = require('rewt'), { memoryStore } = Rewt;"],
  ])('of %s tell by the names in their stacks where they come from', async (_way, type, load) => {
    const program = `${load} new Rewt({ store: memoryStore() }).verify('junk').catch((e) => console.log(e.stack));`;
    const stack = await node(scratch.folder, type, '-e', program);
    expect(stack).toMatch(/at Verifier\.verify \(.*core\.cjs:\d+.*at Rewt\.verify \(/s);
  });
});

describe('the command', () => {
  it('is there once the package is installed', async () => {
    expect(await node(scratch.folder, 'node_modules/.bin/rewt', '--help')).toMatch(/sign.*verify.*rotate/s);
  });
});
