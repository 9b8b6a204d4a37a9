/** The doctor's findings about the folder of an embedded store. Pure. */

import { type Finding, finding } from './finding.js';
import type { FolderFacts, Part } from './folder-facts.js';

/** A rotation needs some blocks, and one or two files. */
const MIN_FREE_BYTES = 1_048_576;
const MIN_FREE_FILES = 16;

const OTHERS_WRITE = 0o022;

const UNWRITTEN = 'nothing rotates, and no revocation is written';

export function judgeFolder(facts: FolderFacts, urlMissing = false): readonly Finding[] {
  const { exists, open, shut, misplaced, foreign, owner, readOnly, network, freeBytes, freeFiles, keyring } = facts;
  const wrong = [open, shut, misplaced, foreign].flat().length;
  const none = 'there is no store in it yet: the first sign makes one';
  const isFull = (freeBytes ?? MIN_FREE_BYTES) < MIN_FREE_BYTES || (freeFiles ?? MIN_FREE_FILES) < MIN_FREE_FILES;
  return [
    ...(exists || keyring !== null
      ? []
      : [
          urlMissing
            ? finding('folder', 'warning', none, 'if the members use Redis or another folder: --url, or REWT_URL')
            : finding('folder', 'note', none),
        ]),
    ...open.map(judgeOpen),
    ...shut.map(judgeShut),
    ...misplaced.map((what) =>
      finding(
        'permissions',
        'problem',
        `${what} is ${what === 'a record' ? 'no file' : 'no folder'}, perhaps a link: members refuse it`,
        'find out who made it, then remove it and run rewt revoke',
      ),
    ),
    ...foreign.map((what) =>
      finding(
        'permissions',
        'problem',
        `${what} is not of the user who owns the folder: members refuse it`,
        'find out who made it, then remove it and run rewt revoke',
      ),
    ),
    ...(exists && wrong === 0 ? [finding('permissions', 'ok', 'for its user alone')] : []),
    ...judgeOwner(owner, facts.mayNotLink),
    ...(network === null
      ? []
      : [
          finding(
            'file system',
            'problem',
            `${network}: two machines may both win there, and a revocation may be seen late`,
            'a folder on a disk of this machine, or Redis',
          ),
        ]),
    ...(readOnly
      ? [finding('file system', 'problem', `it is read-only: ${UNWRITTEN}`, 'see why it was mounted so')]
      : []),
    ...(isFull ? [finding('room', 'problem', `the disk is full: ${UNWRITTEN}`, 'make room on it')] : []),
  ];
}

function judgeOpen({ what, mode }: FolderFacts['open'][number]): Finding {
  const opened = `${what} is open to others (mode ${octal(mode)})`;
  const right = modeOf(what);
  if ((mode & OTHERS_WRITE) !== 0) {
    const remedy = `chmod ${right}, then rewt revoke`;
    return finding('permissions', 'problem', `${opened}: a user who writes there chooses the secret`, remedy);
  }
  if (what !== 'a record') {
    return finding('permissions', 'problem', `${opened}: they see when secrets change`, `chmod ${right}`);
  }
  return finding(
    'permissions',
    'problem',
    `${opened}: a user who reads it can sign`,
    `chmod ${right}, then rewt revoke`,
  );
}

function judgeShut({ what, mode }: FolderFacts['shut'][number]): Finding {
  const cost = what === 'a record' ? 'members cannot read it' : UNWRITTEN;
  const found = `${what} is shut to its owner (mode ${octal(mode)}): ${cost}`;
  return finding('permissions', 'problem', found, `chmod ${modeOf(what)}`);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function modeOf(what: Part): string {
  return what === 'a record' ? '600' : '700';
}

function judgeOwner(owner: FolderFacts['owner'], mayNotLink: boolean): readonly Finding[] {
  if (owner === null || owner.is === 'user') return [];
  const { name } = owner;
  const remedy = `sudo -u '${name}' rewt ...`;
  if (owner.is === 'other') {
    return [finding('owner', 'problem', `${name} owns the folder, and only that user may use it`, remedy)];
  }
  return mayNotLink
    ? [finding('owner', 'warning', `fs.protected_hardlinks lets this root write nothing for ${name}`, remedy)]
    : [finding('owner', 'note', `${name} owns the folder, and gets what root writes there`)];
}
