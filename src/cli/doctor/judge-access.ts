/** The doctor's findings about the connection to Redis, and the rights of its user. Pure. */

import { costOf, isReading, type Role } from '../../stores/redis/rights.js';
import { foreignName } from '../output/format.js';
import { aclCommand } from './acl-command.js';
import { type Finding, finding, type Level } from './finding.js';
import type { RedisFacts } from './redis-facts.js';
import type { Lack } from './rights.js';

export function judgeAccess(facts: RedisFacts): readonly Finding[] {
  return [judgeTls(facts), judgePassword(facts), ...judgeRights(facts)];
}

function judgeTls(facts: RedisFacts): Finding {
  const { tls, loopback } = facts.address;
  if (tls) return finding('tls', 'ok', 'on');
  if (loopback) return finding('tls', 'ok', 'off, and the server is on this machine');
  return finding(
    'tls',
    'warning',
    isSealed(facts)
      ? 'off: the password crosses the network as it is'
      : 'off: the secret, and the password, cross the network as they are',
    'rediss:// in the URL, and tls-port on the server; or a network with no other users',
  );
}

function judgePassword(facts: RedisFacts): Finding {
  const { password, loopback } = facts.address;
  if (password) return finding('password', 'ok', 'required with this URL');
  const found = isSealed(facts)
    ? 'none: every client of this server can delete the keyring, which is a revocation'
    : 'none: every client of this server can read the secret, and sign';
  const remedy = `a separate user for rewt, with a password: ${aclCommand(facts, 'member', null)}`;
  return finding('password', loopback ? 'note' : 'problem', found, remedy);
}

/**
 * Returns the level. A member needs `read` and `write`, and a user that only reads `look`; for
 * others the role of the server is a matter of security, the rest of convenience.
 */
function levelOf({ use, right, cost }: Lack, role: Role): Level {
  if (use === 'read' || use === 'write') return 'problem';
  if (use === 'look' && isReading(role) && (role === 'verifier' || cost === costOf('look', {}))) return 'problem';
  return use === 'role' || (use === 'look' && right === '+info') ? 'warning' : 'note';
}

function judgeRights(facts: RedisFacts): readonly Finding[] {
  const { role, wanted, user, lacks, beyond, excess } = facts.rights;
  const ownLine = `${aclCommand(facts, role, user)} has the line for redis-cli`;
  const costs = [...new Set(lacks.map(({ cost }) => cost))];
  const findings = costs.map((cost) => {
    const alike = lacks.filter((lack) => lack.cost === cost) as [Lack, ...Lack[]];
    const missing = alike.map(({ right }) => foreignName(right, 200)).join(', ');
    return finding('rights', levelOf(alike[0], role), `this user lacks ${missing}: ${cost}`, ownLine);
  });
  if (isReading(role) && wanted === null) {
    findings.push(
      finding(
        'rights',
        'note',
        `those of a ${role}: this user can look (${looksOf(role)}) and forge tokens (HS256)` +
          `${isSealed(facts) ? ' if it has the seal key' : ''}, and cannot sign by rewt, rotate or revoke`,
        `for a member or an operator: ${aclCommand(facts, 'member', user)}`,
      ),
    );
  }
  const more = [...new Set([...beyond, ...(excess ?? [])])].map((rule) => foreignName(rule, 200));
  if (more.length > 0) {
    const found = `this user may do more than ${wanted === null ? 'rewt' : named(role)} needs: ${more.join(', ')}`;
    const remedy =
      user === null || user === 'default' ? `a separate user for rewt: ${aclCommand(facts, role, null)}` : ownLine;
    findings.push(finding('rights', 'note', found, remedy));
  }
  if (findings.length > 0) return findings;
  const beyondIt = excess === null ? '; what it may do beyond is not known (ACL GETUSER, ACL DRYRUN)' : ', and no more';
  return [finding('rights', 'ok', `what ${named(role)} needs${beyondIt}`)];
}

function isSealed({ keyring }: RedisFacts): boolean {
  return !('code' in keyring) && keyring.sealed !== null;
}

function named(role: Role): string {
  return role === 'operator' ? 'an operator' : `a ${role}`;
}

function looksOf(role: Role): string {
  return role === 'verifier' ? 'verify, explain' : 'status, verify, explain';
}
