/** What the broken network does to connections, and that it heals. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type NetworkProxy, startProxy } from '../support/proxy.js';
import { freePort } from '../support/servers.js';

let echo: Server;
let received: string;
let proxy: NetworkProxy;
const clients: Socket[] = [];
/** The server's ends of the connections. */
const echoed: Socket[] = [];

beforeEach(async () => {
  received = '';
  echo = createServer((socket) => {
    echoed.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received += chunk;
      socket.write(chunk);
    });
  });
  const port = await freePort();
  await once(echo.listen(port, '127.0.0.1'), 'listening');
  proxy = await startProxy(port);
});
afterEach(async () => {
  for (const socket of [...clients.splice(0), ...echoed.splice(0)]) socket.destroy();
  await proxy.stop();
  echo.close();
});

interface Client {
  readonly socket: Socket;
  readonly text: () => string;
}

async function call(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'connect');
  return { socket, text: () => text };
}

const said = (client: Client, text: string): Promise<void> => expect.poll(client.text, { interval: 5 }).toBe(text);
const heard = (text: string): Promise<void> => expect.poll(() => received, { interval: 5 }).toBe(text);
const inside = (text: string): Promise<void> => expect.poll(() => proxy.undelivered, { interval: 5 }).toBe(text.length);
const ended = ({ socket }: Client): Promise<void> => expect.poll(() => socket.closed, { interval: 5 }).toBe(true);

it('it passes what is sent, both ways, and counts connections', async () => {
  const [one, two] = [await call(), await call()];
  one.socket.write('one');
  await said(one, 'one');
  two.socket.write('two');
  await said(two, 'two');
  expect([proxy.accepted, proxy.open]).toEqual([2, 2]);
  one.socket.end();
  await ended(one);
  await expect.poll(() => proxy.open).toBe(1);
  expect(proxy.accepted).toBe(2);
});

it('a black hole accepts connections and bytes, returns nothing, and resets them afterwards', async () => {
  const [old, idle] = [await call(), await call()];
  old.socket.write('before ');
  await said(old, 'before ');
  await proxy.blackHole();
  const fresh = await call();
  old.socket.write('lost');
  fresh.socket.write('lost');
  await inside('lostlost');
  await proxy.delayReplies(0);
  await Promise.all([ended(old), ended(fresh)]);
  await proxy.pass();
  idle.socket.write('after');
  await said(idle, 'after');
  expect(received).toBe('before after');
});

it('a connection that is forgotten is never served again, and new ones are', async () => {
  const old = await call();
  old.socket.write('before ');
  await said(old, 'before ');
  proxy.forget();
  old.socket.write('lost');
  await inside('lost');
  const fresh = await call();
  fresh.socket.write('after');
  await said(fresh, 'after');
  expect(received).toBe('before after');
  expect([old.text(), old.socket.closed]).toEqual(['before ', false]);
  await proxy.pass();
  await ended(old);
});

it('a black hole for replies only lets requests through', async () => {
  const client = await call();
  await proxy.blackHole('replies');
  client.socket.write('request');
  await heard('request');
  await inside('request');
  await proxy.pass();
  await ended(client);
  expect(client.text()).toBe('');
});

it('what is held arrives in its order once the network heals', async () => {
  const old = await call();
  await proxy.hold();
  for (const word of ['a', 'b', 'c']) old.socket.write(word);
  await inside('abc');
  expect(received).toBe('');
  await proxy.pass();
  old.socket.write('d');
  await said(old, 'abcd');
});

it('a delayed reply is not there before its time, and none overtakes another', async () => {
  const client = await call();
  await proxy.delayReplies(150);
  const sentMs = performance.now();
  client.socket.write('late ');
  await heard('late ');
  await inside('late ');
  await proxy.delayReplies(0);
  client.socket.write('later');
  await said(client, 'late later');
  expect(performance.now() - sentMs).toBeGreaterThanOrEqual(149);
});

it('a cut ends connections and refuses new ones, until it heals on the same port', async () => {
  const client = await call();
  await proxy.cut();
  await ended(client);
  await expect(call()).rejects.toThrow('ECONNREFUSED');
  await proxy.pass();
  const again = await call();
  again.socket.write('again');
  await said(again, 'again');
});

it('a client that has said its last word still gets the reply', async () => {
  const client = await call();
  client.socket.end('word');
  await ended(client);
  expect(client.text()).toBe('word');
});

it('a connection ends with its server, but out of a black hole no client notices', async () => {
  const [gone, swallowed] = [await call(), await call()];
  for (const { socket } of [gone, swallowed]) socket.write('x');
  await Promise.all([said(gone, 'x'), said(swallowed, 'x')]);
  await proxy.blackHole('replies');
  expect(echoed).toHaveLength(2);
  for (const socket of echoed) socket.destroy();
  swallowed.socket.write('y');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([gone, swallowed].map(({ socket }) => socket.closed)).toEqual([false, false]);
  await proxy.pass();
  await Promise.all([ended(gone), ended(swallowed)]);

  const another = await call();
  another.socket.write('x');
  await said(another, 'x');
  for (const socket of echoed) socket.destroy();
  await ended(another);
});
