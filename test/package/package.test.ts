/** What is published, and how programs in JavaScript use it. */
import { readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, parse, relative } from 'node:path';
import { compileFunction } from 'node:vm';
import { build } from 'rolldown';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as api from '../../src/index.js';
import {
  type InstalledTarball,
  installBeside,
  installPackage,
  installTarball,
  node,
  pack,
  project,
} from './scratch.js';

let scratch: InstalledTarball;
beforeAll(async () => {
  scratch = await installTarball();
  await installBeside(scratch, ['fastify']);
});
afterAll(() => scratch?.remove());

describe('the tarball', () => {
  const documents = ['LICENSE', 'README.md', 'SECURITY.md', 'docs/rotation.svg', 'package.json'];
  // For those who use and run it; the others are for those who change it.
  const pages = [
    'api',
    'clients',
    'command',
    'errors',
    'events',
    'fetch',
    'guarantees',
    'http',
    'managed-redis',
    'operations',
    'sealing',
    'serve',
    'testing-your-service',
  ].map((page) => `docs/${page}.md`);
  const required = ['dist/cjs/index.d.cts', 'dist/cjs/package.json'];
  const command = ['cli/main', 'cli/redis', 'cli/verbs'];
  const shared = [
    'base',
    'core',
    'errors',
    'files',
    'imported-errors',
    'redis',
    'middleware/shared',
    'observe/metrics',
  ];

  it('holds the documents, few files of JavaScript, the types that the entries lead to, and nothing else', () => {
    const types = typesFromEntries();
    expect(types).toContain('dist/cjs/rewt.d.ts');
    const javascript = [...entries(), ...shared, ...command].map((path) => `dist/cjs/${path}.cjs`);
    const imported = entries().map((path) => `dist/esm/${path}.js`);
    expect(scratch.files).toEqual([...documents, ...pages, ...required, ...javascript, ...imported, ...types].sort());
  });

  it('is smaller than its ceilings', () => {
    // More than half of it are the command and what is imported by its own name: a program loads
    // what it imports. The embedded store is 26 kB of what is installed, in place of a package of
    // 21 MB; seal keys, rights and members that only read are 60 kB (docs/adr/0032).
    expect(scratch.packedSize).toBeLessThan(218_000);
    expect(scratch.installedSize).toBeLessThan(680_000);
    expect(scratch.files.length).toBeLessThan(104);
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

  it('has the same bytes whenever it is packed, and from a second build of the same sources', async () => {
    const [first, again, rebuilt] = await Promise.all([
      readFile(scratch.tarball),
      packedAgain(project, 'again'),
      packedAgain(await buildCopy(), 'rebuilt'),
    ]);
    expect(again.equals(first)).toBe(true);
    expect(rebuilt.equals(first)).toBe(true);
  });

  it('has the files with which the other tests of the package run', async () => {
    const copy = await installPackage();
    try {
      expect(await contentsIn(copy.folder)).toEqual(await contentsIn(scratch.folder));
    } finally {
      await copy.remove();
    }
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
    // Three for each entry. What it ignores, node10, it lists too: package exports, and so
    // subpaths, are unknown there.
    expect(verdicts.length).toBeGreaterThan(6 * 3);
    expect(verdicts.filter((verdict) => !/: OK/.test(verdict))).toEqual([]);
  });
});

/** The files of the installed package with their texts, by path. */
async function contentsIn(folder: string): Promise<Record<string, string>> {
  const installed = join(folder, 'node_modules/rewt');
  const entries = await readdir(installed, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const texts = paths.map(async (path) => [relative(installed, path), await readFile(path, 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}

async function packedAgain(source: string, name: string): Promise<Buffer> {
  const folder = join(scratch.folder, name);
  await mkdir(folder);
  return readFile((await pack(source, folder)).tarball);
}

/** Builds a copy of the project, without what is not in git. */
async function buildCopy(): Promise<string> {
  const copy = join(scratch.folder, 'copy');
  const sources = [
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'docs',
    'package.json',
    'rolldown.config.js',
    'scripts',
    'src',
  ];
  for (const name of [...sources, 'tsconfig.build.json', 'tsconfig.json']) {
    await cp(join(project, name), join(copy, name), { recursive: true });
  }
  await symlink(join(project, 'node_modules'), join(copy, 'node_modules'));
  await node(copy, 'scripts/build.js');
  return copy;
}

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
  const files = ['base', 'core', 'errors', 'files', 'redis'];
  let sources: readonly string[];
  beforeAll(async () => {
    sources = await Promise.all(files.map((name) => readFile(ourFile(name), 'utf8')));
  });

  it('loads nothing but these modules of Node, the only ones that cost little', () => {
    const loaded = sources.flatMap((source) => [...source.matchAll(/^let \w+ = require\("([^"]+)"/gm)]);
    const few = ['node:async_hooks', 'node:crypto', 'node:diagnostics_channel', 'node:path', 'node:timers/promises'];
    expect([...new Set(loaded.map(([, name]) => name))].sort()).toEqual(few);
  });

  it('is made of our sources, each under its name, and of no package', () => {
    const names = sources.flatMap((source) => [...source.matchAll(/^\/\/ (.*)$/gm)]).map(([, name]) => name ?? '');
    expect(names).toContain('src/keyring/member.ts');
    expect(names.filter((name) => !/^src\/(?!cli\/).*\.ts$/.test(name))).toEqual([]);
  });

  it('is text that V8 keeps in one byte for each character', () => {
    expect(sources.filter((source) => !/^[\t\n -~]*$/.test(source))).toEqual([]);
  });
});

function ourFile(name: string): string {
  return join(scratch.folder, 'node_modules/rewt/dist/cjs', `${name}.cjs`);
}

/** The files of ours that a program in CommonJS has loaded in the end, without their endings. */
async function loadedBy(program: string): Promise<string[]> {
  const folder = JSON.stringify(join(scratch.folder, 'node_modules/rewt/dist/cjs/'));
  const shown = `Object.keys(require.cache).filter((path) => path.startsWith(${folder}))`;
  const printed = `console.log(JSON.stringify(${shown}.map((path) => path.slice(${folder}.length, -4)).sort()));`;
  return JSON.parse(await node(scratch.folder, '--input-type=commonjs', '-e', `${program}\n${printed}`)) as string[];
}

describe('a program loads only what it needs', () => {
  const library = ['base', 'core', 'errors', 'index'];
  const http = ['base', 'errors', 'middleware/shared'];

  it.each<[string, string[]]>([
    ['rewt', library],
    ['rewt/testing', ['base', 'core', 'errors', 'testing']],
    ...['express', 'fastify', 'hono', 'koa', 'node', 'web'].map((name): [string, string[]] => [
      `rewt/${name}`,
      [...http, `middleware/${name}`],
    ]),
    ['rewt/fetch', ['base', 'errors', 'outgoing/fetch']],
  ])('of %s', async (path, files) => {
    expect(await loadedBy(`require('${path}');`)).toEqual([...files].sort());
  });

  it.each([
    ['a store in memory', '', []],
    ['a store in a folder', "Rewt.fileStore({ path: 'keyring' });", ['files']],
    ['a Redis', 'new Rewt({ redisConn: { } });', ['redis']],
  ])('with %s, once it has made one', async (_store, made, files) => {
    const program = `const Rewt = require('rewt'); new Rewt({ store: Rewt.memoryStore() }); try { ${made} } catch {}`;
    expect(await loadedBy(program)).toEqual([...library, ...files].sort());
  });

  it('in a bundle, if that is the errors', async () => {
    const input = join(scratch.folder, 'errors.mjs');
    await writeFile(
      input,
      "import { isRewtError, OptionError } from 'rewt';\nconsole.log(isRewtError(new OptionError('')));\n",
    );
    const file = join(scratch.folder, 'bundles/errors.mjs');
    const { output } = await build({
      input,
      platform: 'node',
      logLevel: 'warn',
      output: { file, codeSplitting: false },
    });
    expect(await node(scratch.folder, file)).toBe('true');
    expect(output[0].code.length).toBeLessThan(4_000);
  });
});

describe('programs in JavaScript', () => {
  it.each([
    ['require the class, and everything else by name', 'required.cjs'],
    ['import the class by default, and everything by name', 'imported.mjs'],
    ['import and require the same in one process', 'both.mjs'],
    ['require what stands in front of routes', 'http-required.cjs'],
    ['import what stands in front of routes', 'http-imported.mjs'],
  ])('can %s', async (_title, program) => {
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
      const source = await readFile(join(scratch.folder, `node_modules/rewt/dist/cjs/middleware/${name}.cjs`), 'utf8');
      const loaded = [...source.matchAll(/require\("([^"]+)"/g)].map(([, path]) => path);
      expect(loaded).toEqual(['./shared.cjs']);
      expect(source).toMatch(/^[\t\n -~]*$/);
    },
  );
});

describe('a runtime of CommonJS in which import() fails, as in Jest', () => {
  it('can use the store in a folder', async () => {
    const { fileStore } = requireIn(ourFile('index')) as typeof api;
    const store = fileStore({ path: join(scratch.folder, 'keyring') });
    expect(await store.read('rewt', { timeoutMs: 5_000 })).toMatchObject({ ring: null });
    await store.close();
  });
});

/** Requires a file of ours, and those that it requires, without an `import()`. */
function requireIn(path: string): unknown {
  const module = { exports: {} };
  const load = (name: string) =>
    name.startsWith('.') ? requireIn(join(path, '..', name)) : createRequire(import.meta.url)(name);
  compileFunction(readFileSync(path, 'utf8'), ['module', 'exports', 'require'])(module, module.exports, load);
  return module.exports;
}

describe('a tool that runs each imported file itself, as Vitest does with a linked package', () => {
  it('gets the classes of the errors that the library throws', async () => {
    const folder = join(scratch.folder, 'node_modules/rewt/dist/esm');
    const lines = (await readFile(join(folder, 'index.js'), 'utf8')).matchAll(/^export \{ (.*) \} from '(.*)';$/gm);
    const imported = [...lines].flatMap(([, names = '', path = '']) => {
      const found = Object(ranAlone(join(folder, path)));
      return names.split(', ').map((name) => [name, found[name]]);
    });
    const { fileStore, OptionError } = Object.fromEntries(imported) as typeof api;
    expect(() => fileStore({ path: '' })).toThrow(OptionError);
  });
});

/** Runs a file of ours as it stands; Node's own `require` loads those that it requires. */
function ranAlone(path: string): unknown {
  const module = { exports: {} };
  const load = createRequire(path);
  compileFunction(readFileSync(path, 'utf8'), ['module', 'exports', 'require'])(module, module.exports, load);
  return module.exports;
}

describe('errors', () => {
  it.each([
    ['import', '--input-type=module', "import Rewt, { memoryStore } from 'rewt';"],
    ['require', '--input-type=commonjs', "const Rewt = require('rewt'), { memoryStore } = Rewt;"],
  ])('of %s tell by the names in their stacks where they come from', async (_way, type, load) => {
    const program = `${load} new Rewt({ store: memoryStore() }).verify('junk').catch((e) => console.log(e.stack));`;
    const stack = await node(scratch.folder, type, '-e', program);
    expect(stack).toMatch(/at Verifier\.verify \(.*core\.cjs:\d+.*at Rewt\.verify \(/s);
  });

  it('name private methods in their stacks, and the line of each statement', async () => {
    const core = await readFile(ourFile('core'), 'utf8');
    expect(core).toMatch(/^async #\w{4,}\(/m);
    expect(Math.max(...core.split('\n').map((line) => line.length))).toBeLessThan(500);
  });
});

describe('the command', () => {
  it('is there once the package is installed', async () => {
    expect(await node(scratch.folder, 'node_modules/.bin/rewt', '--help')).toMatch(/sign.*verify.*rotate/s);
  });
});
