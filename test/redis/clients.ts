/** The Redis clients that tests run against, each made as its users make it. */
import { createRequire } from 'node:module';
import { Redis } from 'ioredis';
import { createClient } from 'redis';

const require = createRequire(import.meta.url);

export interface ConnectedClient {
  /** What a user would hand to rewt. */
  readonly client: object;
  /** Closes it as its user would. */
  close(): Promise<void>;
}

/** Versions 2 and 3 of redis come without types. */
export interface CallbackModule {
  createClient(options: object): {
    on(event: string, listener: (error?: unknown) => void): unknown;
    end(flush: boolean): void;
  };
}
export const redis2 = require('redis2') as CallbackModule;
export const redis3 = require('redis3') as CallbackModule;

const ignore = (): void => {};

function connectCallback(module: CallbackModule) {
  return async (port: number, options: object = {}): Promise<ConnectedClient> => {
    const client = module.createClient({ port, host: '127.0.0.1', ...options });
    client.on('error', ignore);
    return { client, close: async () => client.end(true) };
  };
}

async function connectRedis6(port: number, options: object = {}): Promise<ConnectedClient> {
  const client = createClient({ socket: { port, host: '127.0.0.1' }, ...options });
  client.on('error', ignore);
  await client.connect();
  return { client, close: async () => client.destroy() };
}

async function connectIoredis(port: number, options: object = {}): Promise<ConnectedClient> {
  const client = new Redis({ port, host: '127.0.0.1', ...options });
  client.on('error', ignore);
  return { client, close: async () => client.disconnect() };
}

export type Connect = (port: number, options?: object) => Promise<ConnectedClient>;

/** By the name that titles show, the clients that rewt promises to work with. */
export const clients: readonly (readonly [name: string, connect: Connect])[] = [
  ['redis 2.8', connectCallback(redis2)],
  ['redis 3.1', connectCallback(redis3)],
  ['redis 6', connectRedis6],
  ['ioredis 6', connectIoredis],
];
