/**
 * One command on a separate connection, as `redis-cli` sends it, but without a process: on a busy
 * machine each takes a tenth of a second.
 */
import { connect } from 'node:net';

/**
 * Resolves to what `redis-cli` prints, but for the last line break. Rejects with the server's
 * error, and if the connection ends before its reply.
 */
export function oneCommand(port: number, ...words: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    // Nothing but the command is sent: servers are counted and refuse.
    const socket = connect(port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (chunk) => {
      received.push(chunk);
      const read = readReply(Buffer.concat(received), 0);
      if (read === null) return;
      socket.destroy();
      if (read.reply instanceof Error) reject(read.reply);
      else resolve(lines(read.reply).replace(/\n$/, ''));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('The connection was closed.')));
    socket.write(`*${words.length}\r\n`);
    for (const word of words) {
      socket.write(`$${Buffer.byteLength(word)}\r\n`);
      socket.write(word);
      socket.write('\r\n');
    }
  });
}

type Reply = string | null | Error | readonly Reply[];

/** Reads the RESP2 reply at an offset; null if it has not arrived in full. */
function readReply(bytes: Buffer, from: number): { readonly reply: Reply; readonly end: number } | null {
  const lineEnd = bytes.indexOf('\r\n', from);
  if (lineEnd === -1) return null;
  const line = bytes.toString('utf8', from + 1, lineEnd);
  const end = lineEnd + 2;
  switch (bytes.toString('latin1', from, from + 1)) {
    case '-':
      return { reply: new Error(line), end };
    case '$': {
      if (line === '-1') return { reply: null, end };
      const textEnd = end + Number(line);
      return bytes.length < textEnd + 2 ? null : { reply: bytes.toString('utf8', end, textEnd), end: textEnd + 2 };
    }
    case '*':
      return readList(bytes, Number(line), end);
    default:
      return { reply: line, end };
  }
}

function readList(bytes: Buffer, count: number, from: number): { readonly reply: Reply; readonly end: number } | null {
  const replies: Reply[] = [];
  let end = from;
  while (replies.length < count) {
    const read = readReply(bytes, end);
    if (read === null) return null;
    replies.push(read.reply);
    end = read.end;
  }
  return { reply: replies, end };
}

function lines(reply: Reply): string {
  return Array.isArray(reply) ? reply.map(lines).join('\n') : String(reply ?? '');
}
