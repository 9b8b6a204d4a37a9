/** Words for another seal of a keyring: the question, the result, and what is left. Pure. */

import { type FleetSeals, lastAnnounced } from '../../keyring/announcement.js';
import type { Resealed } from '../../keyring/reseal.js';
import type { Announcements } from '../../stores/store.js';
import { foreignName, spanOf } from './format.js';

/** The questions before `rewt reseal`. */
export const QUESTIONS = {
  sealed:
    'A member without the key stops, and members without a memberName are not counted. Members of rewt 1 ' +
    'and 2 cannot follow: their tokens are refused, and they accept forged ones. Reseal?',
  plain:
    "A reader of the store can forge tokens then. A member without sealing: 'migrate' takes plain text for an " +
    'attack and revokes, and members without a memberName are not counted. Write plain text?',
} as const;

/** The first step to plain text is done, and the second is not. */
export const OPENING = 'It is sealed still, and announces that plain text may follow';
/** The rotation after the one that sealed is missing. */
export const EXPOSED = 'It is sealed, and a secret that was plain text signs';

export function changeInWords({ before, after, withdrawn, rotated }: Resealed): string {
  if (withdrawn) return `It is ${formInWords(after)}, and does not announce plain text any more.`;
  if (before === after && rotated) return `It is ${formInWords(after)}, and another secret signs now.`;
  return before === after
    ? `Nothing was written: it is ${formInWords(after)} already.`
    : `Resealed: it is ${formInWords(after)} now, and was ${formInWords(before)} before.`;
}

function formInWords(keyId: string | null): string {
  return keyId === null ? 'plain text' : `under the seal key ${keyId}`;
}

/** Describes what members announced before the change; empty without a change. */
export function membersInWords({ before, after, known, unknown }: Resealed): string {
  if (before === after) return '';
  const what = after === null ? 'reads plain text' : 'has the key';
  const counted =
    known === 0
      ? ' No member has announced what it reads.'
      : ` Each of ${known} named ${known === 1 ? 'member' : 'members'} has announced that it ${what}.`;
  const older = unknown.map((name) => foreignName(name)).join(', ');
  return older === '' ? counted : `${counted} Of an earlier version, which announce nothing of that: ${older}.`;
}

/** Warns of tokens without a kid that named members verified; null if none announced one. */
export function kidlessInWords(announced: Announcements): string | null {
  const seen = [...lastAnnounced(announced).values()].flatMap(({ held: { name, kidless } }) =>
    kidless === undefined ? [] : [`${foreignName(name)} ${spanOf(Math.max(0, announced.nowMs - kidless))} ago`],
  );
  if (seen.length === 0) return null;
  return `Verified a token without a kid: ${seen.join(', ')}. If a member of rewt 1 or 2 signed it, it cannot follow.`;
}

/** Describes which named members allow plain text. */
export function allowingInWords({ known }: FleetSeals): string {
  if (known.length === 0) return 'No member has announced what it reads.';
  const not = known.filter(({ takesPlain }) => !takesPlain).map(({ name }) => foreignName(name));
  const allowing = known.length - not.length;
  const which = not.length === 0 ? '' : `; not yet: ${not.join(', ')}`;
  return `${allowing} of ${known.length} named members ${allowing === 1 ? 'allows' : 'allow'} plain text${which}.`;
}
