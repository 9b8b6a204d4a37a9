/** What the doctor says of the folder of an embedded store. Pure. */

import { type Finding, finding } from './finding.js';
import type { FolderFacts } from './folder-facts.js';

/** A rotation needs some pages. */
const LEAST_FREE_BYTES = 1_048_576;

export function judgeFolder(
  { exists, open, own, network, freeBytes }: FolderFacts,
  urlMissing = false,
): readonly Finding[] {
  const none = 'there is no store in it yet: the first sign makes one';
  return [
    ...(exists
      ? []
      : [
          urlMissing
            ? finding('folder', 'warning', none, 'if the members use Redis or another folder: --url, or REWT_URL')
            : finding('folder', 'note', none),
        ]),
    ...open.map(({ what, mode }) =>
      finding(
        'permissions',
        'problem',
        `${what} is open to others (mode ${mode.toString(8).padStart(4, '0')}): whoever reads it can sign`,
        what === 'the folder' ? 'chmod 700, then rewt revoke' : 'chmod 600, then rewt revoke',
      ),
    ),
    ...(exists && open.length === 0 && own !== null ? [finding('permissions', 'ok', 'for its user alone')] : []),
    ...(own === false
      ? [
          finding(
            'owner',
            'warning',
            'another user owns the folder',
            'run rewt as the user of the services that share it',
          ),
        ]
      : []),
    ...(network === null
      ? []
      : [
          finding(
            'file system',
            'problem',
            `${network}: the locks of LMDB do not work across machines, and the keyring may be damaged`,
            'a folder on a disk of this machine, or Redis',
          ),
        ]),
    ...(freeBytes !== null && freeBytes < LEAST_FREE_BYTES
      ? [finding('room', 'problem', 'the disk is full: nothing rotates, and nobody can revoke', 'make room on it')]
      : []),
  ];
}
