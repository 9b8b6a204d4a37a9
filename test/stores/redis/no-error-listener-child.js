/**
 * A program that made a client, listens to none of its errors, and uses rewt on it. It does what
 * its parent asks over IPC, and ends when the parent disconnects.
 * `node no-error-listener-child.js <compiled library> <package> <port> <connected | idle | url>`
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , dist, packageName, port, state] = process.argv;
const { Rewt } = await import(pathToFileURL(join(dist, 'index.js')).href);
const client = state === 'url' ? `redis://127.0.0.1:${port}` : await makeClient();
let rewt;

async function makeClient() {
  const { default: standard, ...module } = await import(packageName);
  const socket = { host: '127.0.0.1', port: Number(port) };
  if (/^io/.test(packageName)) return new module.Redis({ ...socket, lazyConnect: state === 'idle' });
  if (/redis[23]/.test(packageName)) return standard.createClient(socket);
  const made = (module.createClient ?? standard.createClient)({ socket });
  if (state !== 'idle') await made.connect();
  return made;
}

const verbs = {
  start: async () => {
    rewt = new Rewt({ redisConn: client, storeTimeout: 5, maxStaleness: 2 });
    await rewt.ready();
  },
  revoke: () => rewt.revoke(),
  /** An impatient one, beside the first. */
  fail: async () => {
    const other = new Rewt({ redisConn: client, storeTimeout: 0.1, maxStaleness: 0 });
    const outcome = await other.sign({ sub: 'a' }).then(
      () => 'signed',
      ({ code }) => code,
    );
    await other.close();
    return outcome;
  },
  push: async () => rewt.status().push?.state,
  close: () => rewt.close(),
};

process.on('message', async (verb) => {
  try {
    process.send({ value: (await verbs[verb]()) ?? null });
  } catch (error) {
    process.send({ error: error.code ?? String(error) });
  }
});
// Whatever the client leaves open.
process.on('disconnect', () => process.exit(0));
process.send({ value: 'running' });
