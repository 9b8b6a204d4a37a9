/** The published types under the set-ups that TypeScript programs have, and the programs run. */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installBeside, installPackage, node, project, type Scratch } from './scratch.js';

const consumers = join(project, 'test/package/consumers');

/** What a program may print only if everything in it went well. */
const printed: Record<string, string> = {
  'default-import': 'default-import: ERR_REWT_MALFORMED',
  'named-import': 'named-import: a@b.c string',
  'star-import': 'star-import: 0',
  'import-require': 'import-require: mail 401',
  http: 'http: ann acme 401 function',
  frameworks: 'frameworks: acme acme true',
};
const ofIndex = ['default-import.ts', 'named-import.ts', 'star-import.ts', 'refused.ts'];
const imports = [...ofIndex, 'http.ts'];

/**
 * Every set-up but those that say otherwise has no types of Node, and none of a later ECMAScript
 * than ES2022.
 */
const strict = {
  target: 'ES2022',
  lib: ['ES2022'],
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  outDir: 'out',
};

interface Setup {
  readonly options: object;
  readonly type?: 'module';
  /** With another ending than in consumers/, where it matters which. */
  readonly files: readonly string[];
  /** Bundlers run what Node cannot. */
  readonly runs?: false;
}

const everyEnding = [
  ...imports,
  ...imports.map((file) => file.replace('.ts', '.mts')),
  ...imports.map((file) => file.replace('.ts', '.cts')),
  'import-require.cts',
  // An ES module may write it too.
  'import-require.mts',
];
const commonjs = [...imports, 'import-require.ts'];
/** Without package exports there are no subpaths. */
const before = [...ofIndex, 'import-require.ts'];
/** The frameworks' own types are theirs to mend. */
const withNode = { types: ['node'], skipLibCheck: true };

const setups: Record<string, Setup> = {
  'node16 in a folder of ES modules': { options: { module: 'node16' }, type: 'module', files: everyEnding },
  'node16 in a folder of CommonJS': { options: { module: 'node16' }, files: [...everyEnding, 'import-require.ts'] },
  'nodenext without esModuleInterop': {
    options: { module: 'nodenext', esModuleInterop: false, ignoreDeprecations: '6.0' },
    files: everyEnding,
  },
  'nodenext with the types of Node': {
    options: { module: 'nodenext', types: ['node'], typeRoots: [join(project, 'node_modules/@types')] },
    type: 'module',
    files: everyEnding,
  },
  'esnext for a bundler': {
    options: { module: 'esnext', moduleResolution: 'bundler' },
    type: 'module',
    files: imports,
  },
  'esnext for a bundler, with a later ECMAScript': {
    options: { module: 'esnext', moduleResolution: 'bundler', target: 'esnext', lib: ['esnext'] },
    files: imports,
    runs: false,
  },
  'preserve for a bundler, with verbatim imports': {
    options: { module: 'preserve', verbatimModuleSyntax: true },
    files: [...imports, 'import-require.ts'],
    runs: false,
  },
  'commonjs for a bundler': { options: { module: 'commonjs', moduleResolution: 'bundler' }, files: commonjs },
  'commonjs as before package exports': {
    options: { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' },
    files: before,
  },
  'commonjs as before package exports, without esModuleInterop': {
    options: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: false, ignoreDeprecations: '6.0' },
    files: before,
  },
};

/** As programs are that have the frameworks installed. */
const setupsWithFrameworks: Record<string, Setup> = {
  'node16 with frameworks, in a folder of CommonJS': {
    options: { module: 'node16', ...withNode },
    files: ['frameworks.ts', 'frameworks.mts', 'http.ts'],
  },
  'nodenext with frameworks, in a folder of ES modules': {
    options: { module: 'nodenext', ...withNode },
    type: 'module',
    files: ['frameworks.ts', 'frameworks.cts', 'http.ts'],
  },
  'preserve for a bundler, with frameworks': {
    options: { module: 'preserve', ...withNode },
    files: ['frameworks.ts', 'http.ts'],
    runs: false,
  },
};

/** Runs programs, of either kind of module, in one process. */
const importAll = 'for (const program of process.argv.slice(1)) await import(program);';

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (file) => file,
  getCurrentDirectory: () => scratch.folder,
  getNewLine: () => '\n',
};

let scratch: Scratch;
beforeAll(async () => {
  scratch = await installPackage();
});
afterAll(() => scratch?.remove());

describe('programs in TypeScript', () => {
  for (const [name, setup] of Object.entries(setups)) itCompiles(name, setup);

  describe('that have the frameworks installed', () => {
    beforeAll(async () => {
      const typed = ['express', 'koa', 'node'].map((name) => `@types/${name}`);
      await installBeside(scratch, ['express', 'fastify', 'hono', 'koa', ...typed]);
    });

    for (const [name, setup] of Object.entries(setupsWithFrameworks)) itCompiles(name, setup);
  });
});

function itCompiles(name: string, setup: Setup): void {
  it(`compile as ${name}${setup.runs === false ? '' : ', and do what they say'}`, async () => {
    const folder = join(scratch.folder, name.replaceAll(/\W+/g, '-'));
    await write(folder, setup);
    expect(compile(folder)).toEqual([]);
    if (setup.runs === false) return;
    const programs = (await readdir(join(folder, 'out'))).filter((file) => stem(file) !== 'refused');
    const lines = await node(
      folder,
      '--input-type=module',
      '-e',
      importAll,
      ...programs.map((file) => `./out/${file}`),
    );
    expect(lines.split('\n').sort()).toEqual(programs.map((file) => printed[stem(file)]).sort());
  });
}

async function write(folder: string, { options, type, files }: Setup): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: type ?? 'commonjs' }));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strict, ...options }, files }));
  const sources = await readdir(consumers);
  for (const file of files) {
    const source = sources.find((candidate) => stem(candidate) === stem(file));
    await copyFile(join(consumers, source ?? file), join(folder, file));
  }
}

function stem(file: string): string {
  return file.replace(/\.[cm]?[jt]s$/, '');
}

describe('the types of require', () => {
  it('name everything that the types of import name, as a value, a type or both, with as many type parameters', () => {
    const dist = join(scratch.folder, 'node_modules/rewt/dist');
    const required = exportsOf(join(dist, 'cjs/index.d.cts'));
    expect(required).toEqual(exportsOf(join(dist, 'esm/index.d.ts')));
    expect(required).toMatchObject({
      TokenError: 'value and type of 0',
      memoryStore: 'value',
      CompleteToken: 'type of 1',
    });
  });
});

/**
 * What `tsc` would say in this folder of its programs and of our types. Those of TypeScript, of
 * Node and of frameworks are theirs to mend, and take most of the time to check.
 */
function compile(folder: string): string[] {
  const file = join(folder, 'tsconfig.json');
  const { options, fileNames, errors } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(file, ts.sys.readFile).config,
    ts.sys,
    folder,
  );
  const program = ts.createProgram(fileNames, options);
  const sources = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(scratch.folder));
  expect(sources.length).toBeGreaterThan(fileNames.length);
  const emitted = fileNames.flatMap((name) => program.emit(program.getSourceFile(name)).diagnostics);
  const diagnostics = [
    ...errors,
    ...program.getOptionsDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...sources.flatMap((source) => program.getSemanticDiagnostics(source)),
    ...emitted,
  ];
  return diagnostics.map((diagnostic) => ts.formatDiagnostic(diagnostic, formatHost));
}

/** What each name stands for. */
function exportsOf(file: string): Record<string, string> {
  const program = ts.createProgram([file], { module: ts.ModuleKind.NodeNext, strict: true, types: [] });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} is no module`);
  const names = checker.getExportsOfModule(module).filter(({ name }) => name !== 'prototype');
  return Object.fromEntries(names.map((symbol) => [symbol.name, meaning(symbol, checker)]));
}

function meaning(exported: ts.Symbol, checker: ts.TypeChecker): string {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const words: string[] = [];
  if (symbol.flags & ts.SymbolFlags.Value) words.push('value');
  if (symbol.flags & ts.SymbolFlags.Type) words.push(`type of ${typeParameters(symbol)}`);
  return words.join(' and ');
}

function typeParameters(symbol: ts.Symbol): number {
  return Math.max(
    ...(symbol.declarations ?? []).map((declaration) =>
      'typeParameters' in declaration
        ? ts.getEffectiveTypeParameterDeclarations(declaration as ts.DeclarationWithTypeParameters).length
        : 0,
    ),
  );
}
