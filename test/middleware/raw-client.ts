/** Requests byte by byte over a socket: clients of HTTP refuse to send what an attacker sends. */
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; a header that comes twice is joined with ` & `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawRequest {
  readonly path: string;
  readonly method?: string;
  /** Whole lines, sent as Latin-1 as they stand here. */
  readonly lines?: readonly string[];
}

export async function ask(port: number, { path, method = 'GET', lines = [] }: RawRequest): Promise<RawAnswer> {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...lines, 'Connection: close', '', ''].join('\r\n');
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(head, 'latin1');
  await new Promise<void>((resolve, reject) => socket.once('error', reject).once('close', () => resolve()));
  return read(Buffer.concat(chunks).toString('latin1'));
}

function read(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]} & ${value}`;
  }
  const rest = text.slice(end + 4);
  return {
    status: Number(first.split(' ')[1]),
    headers,
    body: headers['transfer-encoding'] === 'chunked' ? joined(rest) : rest,
  };
}

function joined(chunked: string): string {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = chunked.indexOf('\r\n', at);
    const size = Number.parseInt(chunked.slice(at, lineEnd), 16);
    if (!(size > 0)) return body;
    body += chunked.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
