/** The section "Rights" of docs/clients.md is made of the table of rights. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { aclWords } from '../../src/stores/redis/acl.js';
import { namesOf } from '../../src/stores/redis/names.js';
import { costOf, type Role, rightsFor, roles, type Use } from '../../src/stores/redis/rights.js';

const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const names = {
  ...namesOf({ key: '<K>', ring: '{<K>}:ring', fleet: 'rewt-fleet:{<K>}', drafts: 'rewt-draft:{<K>}:' }),
  before: null,
};
const inOrder = ['member', 'operator', 'reader', 'verifier'] as const satisfies readonly Role[];
const uses: readonly Use[] = roles.operator;

function line(role: Role): string {
  const lines = aclWords({ role, user: `rewt-${role}`, names }).map((words) => words.join(' '));
  return `\`\`\`\n${lines.join('\n  ')}\n\`\`\`\n`;
}

/** One row for each use: who has it, and its commands. */
function table(): string {
  const rows = uses.map((use) => {
    const commands = rightsFor(use).map(({ command }) => `+${command.replace('|', '\\|')}`);
    const has = inOrder.map((role) => ((roles[role] as readonly Use[]).includes(use) ? 'yes' : ''));
    const cells = [`\`${use}\``, ...has, `\`${commands.join(' ')}\``];
    return `| ${cells.join(' | ')} |`.replace(/ {2,}/g, ' ');
  });
  const head = [`| for | ${inOrder.join(' | ')} | commands |`, '|---|---|---|---|---|---|'];
  return `${[...head, ...rows].join('\n')}\n`;
}

/** One line for each effect of lacking a right. */
function costs(): string {
  const lines = uses.flatMap((use) => [
    `* without \`${use}\`: ${costOf(use, {})};`,
    ...rightsFor(use)
      .filter(({ cost }) => cost !== undefined)
      .map((right) => `* without \`+${right.command}\` of \`${use}\`: ${costOf(use, right)};`),
  ]);
  return `${lines.join('\n').replace(/;$/, '.')}\n`;
}

it.each(inOrder)('docs/clients.md has the line for a %s', (role) => {
  expect(page).toContain(`### ACL of a${role === 'operator' ? 'n' : ''} ${role}\n`);
  expect(page).toContain(line(role));
});

it('docs/clients.md has which role needs which commands for what, and what it costs to lack them', () => {
  expect(page).toContain(table());
  expect(page).toContain(costs());
});
