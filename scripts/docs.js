/**
 * `npm run docs`: makes the site in site/ with TypeDoc: every page of the documentation, the
 * reference of each entry, and a search that needs no server. Fails for a page without a section, a
 * type that the reference lacks, and a dead link.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  Application,
  Comment,
  CommentTag,
  Converter,
  DocumentReflection,
  IndexEvent,
  JSX,
  KindRouter,
  Slugger,
} from 'typedoc';
import { entries } from '../rolldown.config.js';

const site = 'site';
process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const docs = (...names) => names.map((name) => `docs/${name}.md`);

/** The sections of the sidebar. A folder stands for all of its pages. */
const sections = {
  Guide: docs('http', 'fetch', 'clients', 'serve', 'testing-your-service', 'faq'),
  Operations: [...docs('operations', 'sealing', 'guarantees', 'managed-redis'), 'SECURITY.md'],
  'How-to': [...docs('cookbook', 'upgrading'), 'examples/'],
  Reference: docs('api', 'errors', 'events', 'command', 'glossary'),
  Explanation: docs('protocol', 'architecture', 'benchmarks', 'testing'),
  Decisions: ['docs/adr/README.md', 'docs/adr/'],
  Project: ['CONTRIBUTING.md', 'CHANGELOG.md'],
};
const places = Object.entries(sections).flatMap(([section, pages]) => pages.map((page) => ({ section, page })));
const rank = (file) => places.findIndex(({ page }) => file === page || (page.endsWith('/') && file.startsWith(page)));

/** The headings that the search finds, with their addresses. */
const anchors = new Map();

/** Types that no user names: what they say is in the type that uses them. */
const unnamed = [
  'callerErrors',
  'Fixed',
  'FoundIssue',
  'Given',
  'Mandatory',
  'Optional',
  'OrPromise',
  'storeErrors',
  'tokenErrors',
  'TokenRefusal',
];

const pages = filesOf('docs', 'examples', ':(top,glob)*.md').filter((file) => file !== 'README.md');
const faults = pages.filter((file) => rank(file) < 0).map((file) => `${file}: is in no section of scripts/docs.js`);

const app = await Application.bootstrapWithPlugins({
  name: 'rewt',
  entryPoints: entries.map((path) => `src/${path}.ts`),
  tsconfig: 'tsconfig.build.json',
  projectDocuments: pages.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)),
  out: site,
  cleanOutputDir: true,
  router: 'paths',
  plugin: [placePages, nameEntries, findHeadings, openSections],
  // `npm run check` is for that.
  skipErrorChecking: true,
  excludeInternal: true,
  disableSources: true,
  includeVersion: true,
  intentionallyNotExported: unnamed,
  groupOrder: [...Object.keys(sections), '*'],
  navigation: { includeGroups: true },
  includeHierarchySummary: false,
  searchInDocuments: true,
  headings: { readme: false, document: false },
  customCss: 'scripts/docs.css',
  // With linkify, `protocol.md` in a text is a link to the web site of that name.
  markdownItOptions: { html: true, linkify: false },
  markdownItLoader: keepCodeInAnchors,
});

const reference = await app.convert();
if (reference === undefined) process.exit(1);
app.validate(reference);
await app.generateOutputs(reference);
faults.push(...deadLinks([...anchors.values()]));
for (const fault of faults) console.error(fault);
if (faults.length > 0 || app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);

function filesOf(...paths) {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...paths];
  return execFileSync('git', list, { encoding: 'utf8' })
    .split('\0')
    .filter((file) => file.endsWith('.md') && existsSync(file));
}

/** Pages keep their paths, stand in their section, and are named by their heading. */
function placePages(app) {
  const paths = new Map();
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    const file = `${page.name}.md`;
    paths.set(page, page.name);
    page.frontmatter.group = places[rank(file)]?.section;
    page.name = /^# (.+)$/m.exec(readFileSync(file, 'utf8'))?.[1].replaceAll('`', '') ?? page.name;
  });
  app.renderer.defineRouter(
    'paths',
    class extends KindRouter {
      getIdealBaseName(reflection) {
        return paths.get(reflection) ?? super.getIdealBaseName(reflection);
      }
      getFullUrl(target) {
        return anchors.get(target) ?? super.getFullUrl(target);
      }
    },
  );
}

/** Makes each heading of a page, and each word of the glossary, a result of the search. */
function findHeadings(app) {
  app.renderer.on(IndexEvent.PREPARE_INDEX, ({ searchResults, searchFields }) => {
    for (const page of searchResults.filter((result) => result.isDocument())) {
      const slugger = new Slugger({ lowercase: true });
      const text = page.content.map((part) => part.text).join('');
      const lines = text.replaceAll(/^ *```.*?^ *```$/gms, '').matchAll(/^(?:#+ (.+)|- \*\*(.+?)\*\*.*: .*)$/gm);
      let anchor;
      for (const [, heading, word] of lines) {
        if (heading !== undefined) anchor = slugger.slug(heading);
        const entry = new DocumentReflection((heading ?? word).replaceAll('`', ''), page, [], {});
        anchors.set(entry, `${app.renderer.router.getFullUrl(page)}#${anchor}`);
        searchResults.push(entry);
        searchFields.push({});
      }
    }
  });
}

/**
 * Opens the sections of the sidebar, all but the decisions, so that each page is one click away.
 * A section that a reader closes stays closed.
 */
function openSections(app) {
  const open = Object.keys(sections).filter((section) => section !== 'Decisions');
  const keys = JSON.stringify(open.map((section) => `tsd-accordion-${section}`));
  const script = `for (const key of ${keys}) localStorage.getItem(key) ?? localStorage.setItem(key, true)`;
  app.renderer.hooks.on('head.end', () => JSX.createElement(JSX.Raw, { html: `<script>${script}</script>` }));
}

/** TypeDoc leaves code out of the anchor of a heading; GitHub does not. */
function keepCodeInAnchors({ core }) {
  core.ruler.push('code in headings', ({ tokens }) => {
    for (const [index, { type }] of tokens.entries()) {
      const inner = type === 'heading_open' ? tokens[index + 1].children : [];
      for (const part of inner)
        if (part.type === 'code_inline') part.children = [{ type: 'text', content: part.content }];
    }
  });
}

/** Names a module as it is imported, and takes the first comment of its source as its summary. */
function nameEntries(app) {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const names = new Map(
    Object.entries(exports).map(([name, { require }]) => [
      /^\.\/dist\/cjs\/(.*)\.cjs$/.exec(require?.default ?? '')?.[1],
      name.replace(/^\./, 'rewt'),
    ]),
  );
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const entry of project.children ?? []) {
      const name = names.get(entry.name);
      if (name === undefined) continue;
      const [, text = ''] = /^\/\*\*(.*?)\*\//s.exec(readFileSync(`src/${entry.name}.ts`, 'utf8')) ?? [];
      entry.name = name;
      entry.comment = new Comment([{ kind: 'text', text: text.replace(/^ \* ?/gm, '').trim() }]);
      entry.comment.blockTags.push(new CommentTag('@group', [{ kind: 'text', text: 'Reference' }]));
    }
  });
}

/** Links of the site, and of its search, that lead to no file of it, or to no heading. */
function deadLinks(found) {
  const files = readdirSync(site, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const texts = new Map(files.map((file) => [resolve(file), readFileSync(file, 'utf8')]));
  const anchors = new Map([...texts].map(([file, text]) => [file, new Set(attributes(text, 'id'))]));
  const links = [...texts].map(([file, text]) => [file, [...attributes(text, 'href'), ...attributes(text, 'src')]]);
  return [...links, [resolve(site, 'search'), found]].flatMap(([file, targets]) =>
    targets.flatMap((link) => {
      if (/^(?:[a-z]+:|\/\/)/.test(link)) return [];
      const [path, anchor] = link.split('#').map(decodeURIComponent);
      const to = path ? resolve(dirname(file), path) : file;
      const from = relative(process.cwd(), file);
      if (!existsSync(to)) return [`${from}: ${link} leads to no file`];
      return !anchor || !anchors.has(to) || anchors.get(to).has(anchor) ? [] : [`${from}: ${link} leads to no heading`];
    }),
  );
}

function attributes(text, name) {
  return [...text.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value]) => value.replaceAll('&amp;', '&'));
}
