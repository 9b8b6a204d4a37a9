/** Each service by its vendor's client: how a seal key is made there, and the recipe to test. */

import { randomBytes } from 'node:crypto';
import { GenerateDataKeyWithoutPlaintextCommand, KMSClient } from '@aws-sdk/client-kms';
import { KeyManagementServiceClient } from '@google-cloud/kms';
import { OAuth2Client } from 'google-auth-library';
import { awsSealKey } from '../aws.js';
import { googleSealKey } from '../google.js';
import { vaultSealKey } from '../vault.js';
import { AWS_KEY, GOOGLE_KEY } from './stand-ins.js';

const PURPOSE = 'rewt-seal-key';

/** By the kind of stand-in. `purpose` is the encryption context; an empty one is left out. */
export const vendors = {
  aws(port) {
    const kms = new KMSClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'stand-in', secretAccessKey: 'stand-in' },
    });
    return {
      async wrap(purpose = PURPOSE) {
        const context = purpose === '' ? {} : { EncryptionContext: { purpose } };
        const input = { KeyId: AWS_KEY, KeySpec: 'AES_256', ...context };
        return (await kms.send(new GenerateDataKeyWithoutPlaintextCommand(input))).CiphertextBlob;
      },
      sealKey: (wrapped) => awsSealKey(kms, AWS_KEY, wrapped),
      close: () => kms.destroy(),
    };
  },
  google(port) {
    const authClient = new OAuth2Client();
    authClient.setCredentials({ access_token: 'stand-in' });
    const place = { apiEndpoint: '127.0.0.1', port, protocol: 'http', fallback: true };
    const kms = new KeyManagementServiceClient({ ...place, authClient });
    return {
      async wrap(purpose = PURPOSE) {
        const context = purpose === '' ? {} : { additionalAuthenticatedData: Buffer.from(purpose) };
        const [{ ciphertext }] = await kms.encrypt({ name: GOOGLE_KEY, plaintext: randomBytes(32), ...context });
        return ciphertext;
      },
      sealKey: (wrapped) => googleSealKey(kms, GOOGLE_KEY, wrapped),
      close: () => kms.close(),
    };
  },
  vault(port) {
    const transit = `http://127.0.0.1:${port}/v1/transit`;
    return {
      async wrap(purpose = PURPOSE) {
        const context = purpose === '' ? {} : { context: Buffer.from(purpose).toString('base64') };
        const body = JSON.stringify({ bits: 256, ...context });
        const headers = { 'X-Vault-Token': 'stand-in' };
        const response = await fetch(`${transit}/datakey/wrapped/rewt`, { method: 'POST', headers, body });
        if (!response.ok) throw new Error((await response.json()).errors.join());
        return (await response.json()).data.ciphertext;
      },
      sealKey: (wrapped) => vaultSealKey(`${transit}/decrypt/rewt`, () => 'stand-in', wrapped),
      close() {},
    };
  },
};
