/** Requests over many connections at once, from a process that does nothing else meanwhile. */

import { connect } from 'node:net';

export const CONNECTIONS = 32;

/** Each connection has one request under way, until all have been answered. */
export async function load(port, requests, total) {
  let sent = 0;
  const connections = Array.from({ length: CONNECTIONS }, () => {
    const socket = connect(port, '127.0.0.1');
    const next = () => {
      if (sent === total) return socket.end();
      socket.write(requests[sent % requests.length]);
      sent += 1;
    };
    let received = '';
    socket.on('connect', next);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!received.endsWith('\r\n\r\n')) return;
      if (!received.startsWith('HTTP/1.1 204')) socket.destroy(new Error(`answered ${received.slice(0, 40)}`));
      received = '';
      next();
    });
    return new Promise((resolve, reject) => socket.on('error', reject).on('close', resolve));
  });
  await Promise.all(connections);
}
