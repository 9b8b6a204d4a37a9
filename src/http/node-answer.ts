/** Answers in place of a route on what node:http gives, and on what is built on it: a response, or the socket of an upgrade. */

import { besideOthers, bodyHeaders, CHALLENGE, type ErrorResponse, hasBody } from './challenge.js';

/** What we need of a response of node:http. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  getHeader(name: string): unknown;
  setHeader(name: string, value: string | string[]): unknown;
  removeHeader(name: string): unknown;
  end(body: string): unknown;
}

/** What we need of the socket that comes with an `'upgrade'`. */
export interface NodeSocket {
  readonly writable: boolean;
  on(event: 'error', listener: () => void): unknown;
  removeListener(event: 'error', listener: () => void): unknown;
  write(head: string, encoding: 'latin1'): unknown;
  end(body: string, whenWritten: () => void): unknown;
  destroy(): unknown;
}

export function answerOnNode(response: NodeResponse, { status, headers, body }: ErrorResponse): void {
  // Somebody else has lost patience meanwhile.
  if (response.headersSent) return;
  response.statusCode = status;
  for (const name of bodyHeaders) response.removeHeader(name);
  for (const name of Object.keys(headers)) {
    const value = headers[name] as string;
    response.setHeader(name, name === CHALLENGE ? besideOthers(response.getHeader(name), value) : value);
  }
  response.end(body);
}

/** Writes the whole answer, byte by byte, and closes: nothing else on this socket speaks HTTP any more. */
export function answerOnSocket(socket: NodeSocket, { status, headers, body }: ErrorResponse): void {
  // The client has gone meanwhile.
  if (!socket.writable) return void socket.destroy();
  const length = hasBody(status) ? { 'content-length': String(new TextEncoder().encode(body).length) } : {};
  const lines = Object.entries({ ...headers, ...length, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`HTTP/1.1 ${status} \r\n${lines.join('')}\r\n`, 'latin1');
  socket.end(body, () => socket.destroy());
}
