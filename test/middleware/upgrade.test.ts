/** `rewt/node` on upgrades: `server.on('upgrade', (request, socket) => auth(request, socket))`. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore, Rewt } from '../../src/index.js';
import { rewtAuth } from '../../src/middleware/node.js';

const rewt = new Rewt({ store: memoryStore() });
/** What would have ended the process. */
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);

let server: Server;
let port: number;
let upgraded: (request: IncomingMessage, socket: Duplex) => unknown;
beforeEach(async () => {
  unhandled.length = 0;
  process.on('unhandledRejection', onUnhandled);
  process.on('uncaughtException', onUnhandled);
  server = createServer().on('upgrade', (request, socket) => upgraded(request, socket));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  process.off('unhandledRejection', onUnhandled);
  process.off('uncaughtException', onUnhandled);
  expect(unhandled).toEqual([]);
});

function upgrade(token: string): Socket {
  const socket = connect(port, '127.0.0.1');
  const lines = ['GET / HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket'];
  socket.write([...lines, `Authorization: Bearer ${token}`, '', ''].join('\r\n'));
  return socket;
}

/** All that comes until the server closes. */
async function answerTo(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

describe('an upgrade', () => {
  it('with a bad token is answered on its socket, and closed', async () => {
    const auth = rewtAuth(rewt, { realm: 'chat' });
    upgraded = (request, socket) => auth(request, socket);
    expect((await answerTo(upgrade('junk'))).split('\r\n')).toEqual([
      'HTTP/1.1 401 ',
      'content-type: application/json; charset=utf-8',
      'cache-control: no-store',
      'www-authenticate: Bearer realm="chat", error="invalid_token"',
      'content-length: 25',
      'connection: close',
      '',
      '{"error":"invalid_token"}',
    ]);
  });

  it('is answered with what onRefused gives, in UTF-8', async () => {
    const auth = rewtAuth(rewt, { onRefused: ({ status }) => ({ status, body: 'žádný' }) });
    upgraded = (request, socket) => auth(request, socket);
    const answer = await answerTo(upgrade('junk'));
    expect(answer).toMatch(/content-length: 8\r\n/);
    expect(answer).toMatch(/žádný$/);
  });

  it.each([204, 304])('that onRefused answers with %i has no body, and no length', async (status) => {
    const auth = rewtAuth(rewt, { onRefused: (refusal) => ({ ...refusal, headers: {}, status }) });
    upgraded = (request, socket) => auth(request, socket);
    expect((await answerTo(upgrade('junk'))).split('\r\n')).toEqual([
      `HTTP/1.1 ${status} `,
      'cache-control: no-store',
      'connection: close',
      '',
      '',
    ]);
  });

  it('with a good token stays open, with its claims', async () => {
    const auth = rewtAuth<{ room: string }>(rewt);
    upgraded = async (request, socket) => {
      const { answered, claims } = await auth(request, socket);
      if (!answered)
        socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\n${claims.room} ${socket.listenerCount('error')}`);
    };
    expect(await answerTo(upgrade(await rewt.sign({ room: 'a' })))).toMatch(/^HTTP\/1\.1 101.*a 0$/s);
  });

  it.each(['token', 'authorize', 'onRefused'] as const)('whose %s throws is answered with 500', async (option) => {
    const auth = rewtAuth(rewt, {
      [option]: () => {
        throw new Error('bug');
      },
    });
    upgraded = (request, socket) => void auth(request, socket);
    expect(await answerTo(upgrade(option === 'onRefused' ? 'junk' : await rewt.sign({})))).toMatch(/^HTTP\/1\.1 500 /);
  });

  it('rejects for a caller that awaits it, too', async () => {
    const auth = rewtAuth(rewt, { token: () => Promise.reject(new Error('bug')) });
    const seen = new Promise((resolve) => {
      upgraded = (request, socket) => auth(request, socket).catch(resolve);
    });
    await answerTo(upgrade('junk'));
    expect(await seen).toMatchObject({ message: 'bug' });
  });

  it('whose client goes away meanwhile harms nothing', async () => {
    let judge = (_: string) => {};
    const auth = rewtAuth(rewt, {
      token: () =>
        new Promise<string>((resolve) => {
          judge = resolve;
        }),
    });
    const gone = new Promise<void>((resolve) => {
      upgraded = (request, socket) => {
        const answered = auth(request, socket);
        socket.once('close', () => {
          judge('junk');
          void answered.then(() => resolve());
        });
        // As if the client's machine had reset the connection.
        socket.destroy(new Error('ECONNRESET'));
      };
    });
    const client = upgrade('junk').on('error', () => {});
    await gone;
    client.destroy();
  });
});
