/** The doctor's findings about the connection to Redis, and the rights of its user. Pure. */

import type { Use } from '../../stores/redis/rights.js';
import { foreignName } from '../output/format.js';
import { type Finding, finding, type Level } from './finding.js';
import type { AddressFacts, RedisFacts } from './redis-facts.js';
import type { Rights } from './rights.js';

export function judgeAccess({ address, rights }: RedisFacts): readonly Finding[] {
  return [judgeTls(address), judgePassword(address), ...judgeRights(rights)];
}

function judgeTls({ tls, loopback }: AddressFacts): Finding {
  if (tls) return finding('tls', 'ok', 'on');
  if (loopback) return finding('tls', 'ok', 'off, and the server is on this machine');
  return finding(
    'tls',
    'warning',
    'off: the secret, and the password, cross the network as they are',
    'rediss:// in the URL, and tls-port on the server; or a network with no other users',
  );
}

function judgePassword({ password, loopback }: AddressFacts): Finding {
  if (password) return finding('password', 'ok', 'required with this URL');
  const found = 'none: every client of this server can read the secret, and sign';
  const remedy = 'a separate user for rewt, with a password: see docs/clients.md, Rights';
  return finding('password', loopback ? 'note' : 'problem', found, remedy);
}

/**
 * Returns the level. A member needs `read` and `write`; the role is a matter of security, the rest
 * of convenience.
 */
function levelOf(use: Use): Level {
  if (use === 'read' || use === 'write') return 'problem';
  return use === 'role' ? 'warning' : 'note';
}

function judgeRights({ lacks, isReader, excess }: Rights): readonly Finding[] {
  const remedy = 'the line to give to ACL SETUSER is in docs/clients.md, Rights';
  const costs = [...new Set(lacks.map(({ cost }) => cost))];
  const findings = (isReader ? [] : costs).map((cost) => {
    const alike = lacks.filter((lack) => lack.cost === cost);
    const [use] = alike.map((lack) => lack.use) as [Use];
    const missing = alike.map(({ right }) => foreignName(right, 200)).join(', ');
    return finding('rights', levelOf(use), `this user lacks ${missing}: ${cost}`, remedy);
  });
  if (isReader) {
    findings.push(
      finding(
        'rights',
        'note',
        'those of a reader: this user can look (status, verify, explain), and cannot sign, rotate or revoke',
        `for a member or an operator: ${remedy}`,
      ),
    );
  }
  if (excess !== null && excess.length > 0) {
    findings.push(
      finding(
        'rights',
        'note',
        `this user may do far more than rewt needs: ${excess.join(', ')}`,
        `a separate user for rewt: ${remedy}`,
      ),
    );
  }
  if (findings.length > 0) return findings;
  const more = excess === null ? '; what it may do beyond is not known (ACL WHOAMI, ACL DRYRUN)' : ', and no more';
  return [finding('rights', 'ok', `what a member needs${more}`)];
}
