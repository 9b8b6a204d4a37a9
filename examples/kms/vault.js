/**
 * The seal key from Vault's transit engine: made and encrypted there, decrypted by each member as
 * it starts. HashiCorp has no client for Node; the calls are plain HTTP.
 */

/**
 * Returns a function for the option `sealKey`.
 *
 * @param {string} url of the key: https://vault.example.com:8200/v1/transit/decrypt/rewt
 * @param {() => string | Promise<string>} token returns a token of Vault that is still valid
 * @param {readonly string[]} wrapped the encrypted seal keys, the one to seal with first
 */
export function vaultSealKey(url, token, wrapped) {
  const context = Buffer.from('rewt-seal-key').toString('base64');
  const decrypt = async (ciphertext) => {
    const headers = { 'X-Vault-Token': await token() };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ ciphertext, context }) });
    if (!response.ok) throw new Error(`Vault answered ${response.status}`);
    return Buffer.from((await response.json()).data.plaintext, 'base64');
  };
  return () => Promise.all(wrapped.map(decrypt));
}
