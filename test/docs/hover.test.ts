/**
 * What an editor shows of the public names: every one has a text, functions and methods have an
 * example, and the examples compile.
 */

import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('../..', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  exports: Record<string, { require?: { default: string } }>;
};
/** The source of each entry, by the name that it is imported with. */
const entries = Object.entries(exports).flatMap(([name, { require }]) => {
  const path = /^\.\/dist\/cjs\/(.*)\.cjs$/.exec(require?.default ?? '')?.[1];
  return path === undefined ? [] : [[name.replace(/^\./, 'rewt'), join(project, `src/${path}.ts`)] as const];
});

/** Parts of objects that others make and describe: of a framework, of a client, of a Rewt. */
const foreign = /^(?:Node(?:Request|Response|Socket)|KoaContext|Web(?:Headers|Request)|Signing|Observed)$/;

/** The names that examples use without making them. */
const known = (framework: string) => `
declare const rewt: import('rewt').Rewt;
declare const store: import('rewt').Store;
declare const token: string;
declare const app: ${apps[framework] ?? 'unknown'};
declare const fastify: import('fastify').FastifyInstance;
declare const request: import('node:http').IncomingMessage & Request;
declare const response: import('node:http').ServerResponse;
declare const refusal: import('rewt/express').ErrorResponse;
`;

const apps: Record<string, string> = {
  express: "import('express').Express",
  hono: "import('hono').Hono",
  koa: "import('koa')<import('rewt/koa').AuthState>",
};

const options: ts.CompilerOptions = {
  ...configured(),
  noEmit: true,
  noUnusedLocals: false,
  types: ['node'],
  paths: Object.fromEntries(entries.map(([name, file]) => [name, [file]])),
};

function configured(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(project, 'tsconfig.json'), ts.sys.readFile);
  return ts.parseJsonConfigFileContent(config, ts.sys, project).options;
}

const program = ts.createProgram(
  entries.map(([, file]) => file),
  options,
);
const checker = program.getTypeChecker();

/** The declarations of an entry that an editor shows: of its exports, and of their members. */
function declarationsOf(file: string): ts.Declaration[] {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} is no module`);
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    return (symbol.declarations ?? []).filter(isShown).flatMap((one) => [one, ...membersOf(one)]);
  });
}

function membersOf(declaration: ts.Declaration): ts.Declaration[] {
  if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) return [];
  if (foreign.test(declaration.name?.text ?? '')) return [];
  return [...declaration.members].filter(isShown);
}

/** An implementation is not shown beside its overloads, and no private or internal member is. */
function isShown(declaration: ts.Declaration): boolean {
  const name = ts.getNameOfDeclaration(declaration);
  if (ts.isClassElement(declaration) && (name === undefined || !ts.isIdentifier(name))) return false;
  if (ts.isIndexSignatureDeclaration(declaration)) return false;
  if (ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal')) return false;
  return !(ts.isFunctionLike(declaration) && 'body' in declaration && declaration.body && isOverloaded(declaration));
}

function isOverloaded(declaration: ts.SignatureDeclaration): boolean {
  return (symbolOf(declaration)?.declarations ?? []).length > 1;
}

function symbolOf(declaration: ts.Declaration): ts.Symbol | undefined {
  return checker.getSymbolAtLocation(ts.getNameOfDeclaration(declaration) ?? declaration);
}

function nameOf(declaration: ts.Declaration): string {
  const own = ts.getNameOfDeclaration(declaration)?.getText() ?? 'a call';
  const { parent } = declaration;
  const file = declaration.getSourceFile().fileName.slice(project.length);
  return ts.isSourceFile(parent)
    ? `${file}: ${own}`
    : `${file}: ${ts.getNameOfDeclaration(parent as ts.Declaration)?.getText()}.${own}`;
}

function textOf(declaration: ts.Declaration): string {
  const comments = ts.getJSDocCommentsAndTags(declaration).filter(ts.isJSDoc);
  return comments.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '').join('');
}

function examplesOf(declaration: ts.Declaration): string[] {
  const tags = ts.getJSDocTags(declaration).filter(({ tagName }) => tagName.text === 'example');
  return tags.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '');
}

/** Functions, classes and methods; a method of an interface may have that of its interface. */
function needsExample(declaration: ts.Declaration): boolean {
  return (
    ts.isFunctionDeclaration(declaration) ||
    ts.isClassDeclaration(declaration) ||
    ts.isMethodDeclaration(declaration) ||
    (ts.isMethodSignature(declaration) && examplesOf(declaration.parent as ts.InterfaceDeclaration).length === 0)
  );
}

const shown = [...new Set(entries.flatMap(([, file]) => declarationsOf(file)))];

describe('the public names', () => {
  it('have a text each', () => {
    expect(shown.length).toBeGreaterThan(250);
    expect(shown.filter((one) => textOf(one) === '').map(nameOf)).toEqual([]);
  });

  it('have an example, if they are functions, classes or methods', () => {
    const callable = shown.filter(needsExample);
    expect(callable.length).toBeGreaterThan(30);
    const all = (one: ts.Declaration) => symbolOf(one)?.declarations ?? [one];
    const lacking = callable.filter((one) => all(one).every((overload) => examplesOf(overload).length === 0));
    expect(lacking.map(nameOf)).toEqual([]);
  });

  it('have examples that compile', () => {
    const examples = new Map(
      shown.flatMap((one) => examplesOf(one).map((example, at) => [`${nameOf(one)} ${at}`, example] as const)),
    );
    const files = new Map<string, string>();
    for (const [name, example] of examples) {
      const [, code = ''] = /^```ts\n(.*)\n```$/s.exec(example) ?? [];
      files.set(join(project, `${name.replaceAll(/\W+/g, '-')}.ts`), programOf(code));
    }
    expect(files.size).toBeGreaterThan(30);
    expect(faultsOf(files)).toEqual([]);
  });
});

/** Wraps an example, so that its own names may be those of the preamble. */
function programOf(code: string): string {
  const lines = code.split('\n');
  const imports = lines.filter((line) => line.startsWith('import '));
  const rest = lines.filter((line) => !line.startsWith('import ')).map((line) => line.replace(/^export /, ''));
  const [, framework = ''] = /'rewt\/(\w+)'/.exec(code) ?? [];
  return [...imports, known(framework), 'export async function example() {', ...rest, '}'].join('\n');
}

function faultsOf(files: ReadonlyMap<string, string>): string[] {
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (file) => files.get(resolve(file)) ?? readFile(file);
  host.fileExists = (file) => files.has(resolve(file)) || fileExists(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = files.get(resolve(file));
    return text === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, text, version);
  };
  const examples = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((file) => {
    const source = examples.getSourceFile(file);
    const faults = [...examples.getSyntacticDiagnostics(source), ...examples.getSemanticDiagnostics(source)];
    return faults.map(
      (fault) => `${file.slice(dirname(project).length)}: ${ts.flattenDiagnosticMessageText(fault.messageText, '\n')}`,
    );
  });
}
