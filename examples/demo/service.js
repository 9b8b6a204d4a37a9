/** What both services are: a process with one member, which ends with its parent. */

import { subscribe } from 'node:diagnostics_channel';
import { openMember } from './shared.js';

export const { place, port } = JSON.parse(process.env.DEMO);
export const { rewt } = openMember(place);

/** Tells the parent. If it is gone, that is no error: the process ends for it. */
export function tell(name, value) {
  process.send([name, value], () => {});
}

process.once('disconnect', () => process.exit());
if (!process.connected) process.exit();
// Ctrl-C reaches all processes of a terminal; the parent decides when its services end.
process.on('SIGINT', () => {});

// Of all members one writes a rotation: if each reports its own, every rotation is counted once.
subscribe('rewt:rotated', ({ kid, own }) => {
  if (own) tell('rotated', kid);
});
