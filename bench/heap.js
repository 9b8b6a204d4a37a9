/**
 * What an operation leaves on V8's heap, since that is what has to be collected. In a process of
 * its own, whose young generation is too large to be collected meanwhile.
 */

import { startChild } from './child.js';

const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];

export async function heapPerOperation(port) {
  const child = startChild('heap-child.js', { port }, flags);
  const measured = await child.ask('measure').finally(child.end);
  const [ours] = measured;
  const rows = measured.map(({ name, sign, verify }) => ({
    name,
    'sign, bytes': sign,
    'verify, bytes': verify,
    ...(name !== ours.name && { 'sign, ratio': sign / ours.sign, 'verify, ratio': verify / ours.verify }),
  }));
  const columns = ['sign, ratio', 'sign, bytes', 'verify, ratio', 'verify, bytes'];
  return { id: 'codec heap', title: 'Heap that one call allocates, payload of 149 B, token included', columns, rows };
}
