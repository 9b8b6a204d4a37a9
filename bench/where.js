/** Where the time of a process goes while it answers requests: by V8's sampling profiler. */

import { Session } from 'node:inspector/promises';

const SAMPLE_MICROS = 50;

export async function startProfile() {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROS });
  await session.post('Profiler.start');
  /** Microseconds by what took them, the idle time left out. */
  return async () => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    return microsByPart(profile);
  };
}

function microsByPart({ nodes, samples, timeDeltas }) {
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const above = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const micros = {};
  for (const [at, id] of samples.entries()) {
    const part = partOf(id, frames, above);
    if (part !== null) micros[part] = (micros[part] ?? 0) + timeDeltas[at];
  }
  return micros;
}

/** What Node does in its own code counts for who called it, but for the writing of a response. */
function partOf(id, frames, above) {
  const { functionName } = frames.get(id);
  if (functionName === '(idle)') return null;
  if (functionName === '(garbage collector)') return 'collecting garbage';
  if (/^write\w*String$|^writev$|^writeBuffer$/.test(functionName)) return 'writing to the socket';
  for (let frame = id; frame !== undefined; frame = above.get(frame)) {
    const { url } = frames.get(frame);
    if (url.includes('/dist/cjs/')) return 'rewt';
    if (url.includes('/node_modules/')) return 'the framework';
  }
  return 'Node';
}
