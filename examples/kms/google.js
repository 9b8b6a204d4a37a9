/** The seal key from Google Cloud KMS: encrypted there, decrypted by each member as it starts. */

/**
 * Returns a function for the option `sealKey`.
 *
 * @param {import('@google-cloud/kms').KeyManagementServiceClient} kms
 * @param {string} name of the key: projects/…/locations/…/keyRings/…/cryptoKeys/…
 * @param {readonly Uint8Array[]} wrapped the encrypted seal keys, the one to seal with first
 */
export function googleSealKey(kms, name, wrapped) {
  const additionalAuthenticatedData = Buffer.from('rewt-seal-key');
  const decrypt = async (ciphertext) => {
    const [{ plaintext }] = await kms.decrypt({ name, ciphertext, additionalAuthenticatedData });
    return plaintext;
  };
  return () => Promise.all(wrapped.map(decrypt));
}
