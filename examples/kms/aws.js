/** The seal key from AWS KMS: made and encrypted there, decrypted by each member as it starts. */
import { DecryptCommand } from '@aws-sdk/client-kms';

/**
 * Returns a function for the option `sealKey`.
 *
 * @param {import('@aws-sdk/client-kms').KMSClient} kms
 * @param {string} KeyId the only key of the service that may have encrypted them
 * @param {readonly Uint8Array[]} wrapped the encrypted seal keys, the one to seal with first
 */
export function awsSealKey(kms, KeyId, wrapped) {
  const decrypt = async (CiphertextBlob) => {
    const input = { KeyId, CiphertextBlob, EncryptionContext: { purpose: 'rewt-seal-key' } };
    return (await kms.send(new DecryptCommand(input))).Plaintext;
  };
  return () => Promise.all(wrapped.map(decrypt));
}
