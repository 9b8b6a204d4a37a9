/** The doctor's findings about the seal of a keyring. Pure. */

import { SEAL_KEY_VARIABLE } from '../input/link.js';
import { sealInWords } from '../output/sealed.js';
import { type Finding, finding } from './finding.js';
import type { KeyringFacts } from './keyring-facts.js';

/** @param replicas the replicas of the server; 0: it has none, or does not show them. */
export function judgeSealing({ sealed, status, keyIds, nowMs }: KeyringFacts, replicas = 0): readonly Finding[] {
  const [first] = keyIds;
  if (sealed === null) return status === null ? [] : judgePlain(first, replicas);
  const { keyId, opens } = sealed;
  if (!opens) return [judgeShut(keyId, keyIds)];
  const found = status?.sealed ? sealInWords(status.sealed, nowMs) : `with the key ${keyId}`;
  if (status?.sealed?.opening) {
    const remedy = 'rewt reseal --plain once more, or rewt reseal, which takes it back';
    return [finding('seal', 'warning', found, remedy)];
  }
  const exposedMs = status?.sealed?.exposedUntil?.getTime();
  const isExposed = exposedMs !== undefined;
  if (isExposed && status !== null && exposedMs >= status.current.verifiesUntil.getTime()) {
    return [finding('seal', 'warning', `${found}: one of them signs still`, 'rewt reseal --wait, which rotates')];
  }
  if (keyId === first) return [finding('seal', isExposed ? 'note' : 'ok', found)];
  return [
    finding(
      'seal',
      'note',
      `${found}. It is not the first key here, so do not remove it yet`,
      `once every member has ${first}, rewt reseal, which seals with that`,
    ),
  ];
}

function judgePlain(first: string | undefined, replicas: number): readonly Finding[] {
  if (first !== undefined) {
    return [
      finding(
        'seal',
        'warning',
        'none, although there is a seal key here: a reader of the store can forge tokens',
        'once every member has the key, rewt reseal',
      ),
    ];
  }
  if (replicas === 0) return [];
  return [
    finding(
      'seal',
      'note',
      `none: a reader of the server, of its ${replicas === 1 ? 'replica' : `${replicas} replicas`} or of a dump can ` +
        'forge tokens',
      'a seal key for all members: rewt seal-key, and docs/sealing.md',
    ),
  ];
}

function judgeShut(keyId: string, keyIds: readonly string[]): Finding {
  const remedy = `${SEAL_KEY_VARIABLE} or --seal-key-file gives it; if it is lost, rewt revoke --replace sealed`;
  if (keyIds.length === 0) {
    const found = `with the key ${keyId}, and there is none here: what is sealed is not judged`;
    return finding('seal', 'note', found, remedy);
  }
  const found = `with the key ${keyId}, and here is only ${keyIds.join(', ')}: a member with these keys cannot read it`;
  return finding('seal', 'problem', found, remedy);
}
