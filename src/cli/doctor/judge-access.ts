/** What the doctor says of the way to a Redis, and of what its user may do there. Pure. */

import { type Finding, finding } from './finding.js';
import type { AddressFacts, RedisFacts } from './redis-facts.js';
import type { Rights } from './rights.js';

export function judgeAccess({ address, rights, keyring, writes }: RedisFacts): readonly Finding[] {
  const isTried = !('code' in keyring) && writes === null;
  return [judgeTls(address), judgePassword(address), ...judgeRights(rights, isTried)];
}

function judgeTls({ tls, loopback }: AddressFacts): Finding {
  if (tls) return finding('tls', 'ok', 'on');
  if (loopback) return finding('tls', 'ok', 'off, and the server is on this machine');
  return finding(
    'tls',
    'warning',
    'off: the secret, and the password, cross the network as they are',
    'rediss:// in the URL, and tls-port on the server; or a network that nobody else is in',
  );
}

function judgePassword({ password, loopback }: AddressFacts): Finding {
  if (password) return finding('password', 'ok', 'asked for with this URL');
  const found = 'none: whoever reaches this server can read the secret, and sign';
  const remedy = 'a user of its own for rewt, with a password: see docs/clients.md, Rights';
  return finding('password', loopback ? 'note' : 'problem', found, remedy);
}

function judgeRights({ user, lacks, excess }: Rights, isTried: boolean): readonly Finding[] {
  const remedy = 'the line to give to ACL SETUSER is in docs/clients.md, Rights';
  if (lacks === null) {
    if (!isTried) return [finding('rights', 'note', 'unknown: this user may not ask (ACL WHOAMI, ACL DRYRUN)')];
    const found = 'enough for the keyring, as tried; what else this user may do it cannot ask (ACL WHOAMI, ACL DRYRUN)';
    return [finding('rights', user === null ? 'ok' : 'note', found)];
  }
  const findings: Finding[] = [];
  if (lacks.keyring.length > 0) {
    findings.push(finding('rights', 'problem', `this user lacks ${lacks.keyring.join(', ')}`, remedy));
  }
  for (const [what, missing] of [
    ['push', lacks.push],
    ['the number of replicas', lacks.replicas],
    ['memberName and the fleet', lacks.members],
  ] as const) {
    if (missing.length > 0)
      findings.push(finding('rights', 'note', `for ${what} this user lacks ${missing.join(', ')}`, remedy));
  }
  if (excess !== null && excess.length > 0) {
    findings.push(
      finding(
        'rights',
        'note',
        `this user may do far more than rewt needs: ${excess.join(', ')}`,
        `a user of its own for rewt: ${remedy}`,
      ),
    );
  }
  return findings.length > 0 ? findings : [finding('rights', 'ok', 'what rewt needs, and no more')];
}
