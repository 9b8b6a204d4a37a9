/**
 * Stand-ins for the three services on loopback, by their HTTP interfaces: a key that never leaves,
 * encrypts and decrypts, and rotates. Each refuses a call without the encryption context.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export const GOOGLE_KEY = 'projects/p/locations/global/keyRings/r/cryptoKeys/rewt';
export const AWS_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A refusal of the service, which each of them writes in its own form. */
class Refusal extends Error {}

/** A key of the service. Old versions decrypt, the last one encrypts. */
class ManagedKey {
  #versions = [randomBytes(32)];

  rotate() {
    this.#versions.push(randomBytes(32));
  }

  get version() {
    return this.#versions.length;
  }

  encrypt(plaintext, context) {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#versions[this.version - 1], nonce).setAAD(needed(context));
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([Buffer.of(this.version), nonce, cipher.getAuthTag(), sealed]);
  }

  decrypt(blob, context) {
    const aad = needed(context);
    const [nonce, tag] = [
      blob.subarray(1, 1 + NONCE_BYTES),
      blob.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES),
    ];
    try {
      const options = { authTagLength: TAG_BYTES };
      const decipher = createDecipheriv('aes-256-gcm', this.#versions[blob[0] - 1], nonce, options);
      decipher.setAAD(aad).setAuthTag(tag);
      return Buffer.concat([decipher.update(blob.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    } catch {
      throw new Refusal('the ciphertext, or the encryption context, is another one');
    }
  }
}

function needed(context) {
  if (context.length > 0) return context;
  throw new Refusal('the call has no encryption context');
}

const bytes = (base64 = '') => Buffer.from(base64, 'base64');
const base64 = (buffer) => buffer.toString('base64');

/** The operations of each service. They return the body of an answer; null: no such operation. */
const services = {
  aws(key, { headers, body }) {
    if (!headers.authorization?.startsWith('AWS4-HMAC-SHA256 ')) throw new Refusal('the call is not signed');
    if (body.KeyId !== AWS_KEY) throw new Refusal(`the key is not ${AWS_KEY}`);
    const context = Buffer.from(
      Object.entries(body.EncryptionContext ?? {})
        .sort()
        .join(';'),
    );
    switch (headers['x-amz-target']) {
      case 'TrentService.GenerateDataKeyWithoutPlaintext':
        return { KeyId: AWS_KEY, CiphertextBlob: base64(key.encrypt(randomBytes(32), context)) };
      case 'TrentService.Decrypt':
        return { KeyId: AWS_KEY, Plaintext: base64(key.decrypt(bytes(body.CiphertextBlob), context)) };
      default:
        return null;
    }
  },
  google(key, { path, headers, body }) {
    if (headers.authorization !== 'Bearer stand-in') throw new Refusal('the call has no access token');
    const context = bytes(body.additionalAuthenticatedData);
    switch (path.replace(/\?.*/, '')) {
      case `/v1/${GOOGLE_KEY}:encrypt`: {
        const name = `${GOOGLE_KEY}/cryptoKeyVersions/${key.version}`;
        return { name, ciphertext: base64(key.encrypt(bytes(body.plaintext), context)) };
      }
      case `/v1/${GOOGLE_KEY}:decrypt`:
        return { plaintext: base64(key.decrypt(bytes(body.ciphertext), context)) };
      default:
        return null;
    }
  },
  vault(key, { path, headers, body }) {
    if (headers['x-vault-token'] !== 'stand-in') throw new Refusal('the call has no token');
    const context = bytes(body.context);
    switch (path) {
      case '/v1/transit/datakey/wrapped/rewt': {
        const blob = key.encrypt(randomBytes(32), context);
        return { data: { ciphertext: `vault:v${key.version}:${base64(blob)}`, key_version: key.version } };
      }
      case '/v1/transit/decrypt/rewt':
        return {
          data: { plaintext: base64(key.decrypt(bytes(/^vault:v\d+:(.*)$/.exec(body.ciphertext)?.[1]), context)) },
        };
      default:
        return null;
    }
  },
};

/** A refusal in the form of each service. */
const refusals = {
  aws: (message) => ({ __type: 'InvalidCiphertextException', message }),
  google: (message) => ({ error: { code: 400, status: 'INVALID_ARGUMENT', message } }),
  vault: (message) => ({ errors: [message] }),
};

/**
 * Starts the stand-in for a service on a free port of loopback.
 *
 * @param {'aws' | 'google' | 'vault'} kind
 */
export async function startStandIn(kind) {
  const key = new ManagedKey();
  const calls = [];
  const answer = (request) => {
    try {
      return { status: 200, body: services[kind](key, request) };
    } catch (error) {
      if (error instanceof Refusal) return { status: 400, body: refusals[kind](error.message) };
      throw error;
    }
  };
  const server = createServer(async (req, res) => {
    calls.push(req.headers['x-amz-target'] ?? req.url);
    const request = { path: req.url, headers: req.headers, body: JSON.parse(await text(req)) };
    const { status, body } = answer(request);
    res.writeHead(body === null ? 404 : status, { 'Content-Type': contentTypes[kind] });
    res.end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    /** The names of all calls so far. */
    calls,
    rotate: () => key.rotate(),
    async stop() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const contentTypes = {
  aws: 'application/x-amz-json-1.1',
  google: 'application/json',
  vault: 'application/json',
};
