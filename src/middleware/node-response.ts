/** Error responses written to a node:http response, or to the socket of an upgrade. */

import { besideOthers, bodyHeaders, CHALLENGE, type ErrorResponse, hasBody } from './responses.js';

/** The parts of a node:http response that are used. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  getHeader(name: string): unknown;
  setHeader(name: string, value: string | string[]): unknown;
  removeHeader(name: string): unknown;
  end(body: string): unknown;
}

/** The parts of an upgrade's socket that are used. */
export interface NodeSocket {
  readonly writable: boolean;
  on(event: 'error', listener: () => void): unknown;
  removeListener(event: 'error', listener: () => void): unknown;
  write(head: string, encoding: 'latin1'): unknown;
  end(body: string, whenWritten: () => void): unknown;
  destroy(): unknown;
}

export function answerOnNode(response: NodeResponse, { status, headers, body }: ErrorResponse): void {
  // Another handler, such as a timeout, has answered meanwhile.
  if (response.headersSent) return;
  response.statusCode = status;
  for (const name of bodyHeaders) response.removeHeader(name);
  for (const name of Object.keys(headers)) {
    const value = headers[name] as string;
    response.setHeader(name, name === CHALLENGE ? besideOthers(response.getHeader(name), value) : value);
  }
  response.end(body);
}

/** Writes the whole response, and closes: no HTTP parser serves this socket any more. */
export function answerOnSocket(socket: NodeSocket, { status, headers, body }: ErrorResponse): void {
  // The client has disconnected meanwhile.
  if (!socket.writable) return void socket.destroy();
  const length = hasBody(status) ? { 'content-length': String(new TextEncoder().encode(body).length) } : {};
  const lines = Object.entries({ ...headers, ...length, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`HTTP/1.1 ${status} \r\n${lines.join('')}\r\n`, 'latin1');
  socket.end(body, () => socket.destroy());
}
