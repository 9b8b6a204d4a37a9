/**
 * The one table of error codes: what each means, what causes it, what to do, and whether a
 * repetition helps.
 *
 * The types of `code` come from its keys, docs/errors.md and the command's words from its rows.
 */

/** Whether the same call can succeed later: by itself, once the remedy was applied, or never. */
export type Retry = 'yes' | 'once mended' | 'no';

export interface ErrorRow {
  readonly meaning: string;
  readonly cause: string;
  readonly remedy: string;
  readonly retry: Retry;
}

/** `TokenError`: the token is at fault. */
export const tokenErrors = /* @__PURE__ */ rows({
  ERR_REWT_MALFORMED: {
    meaning: 'This is no JWT in its one canonical spelling, or it is longer than `maxTokenBytes`.',
    cause: 'A cut or padded token, another kind of credential, or a limit that differs between members.',
    remedy: 'Send the text that `sign` returned, unchanged. Give all members the same `maxTokenBytes`.',
    retry: 'no',
  },
  ERR_REWT_UNSUPPORTED: {
    meaning: 'The header requires something that rewt never does, such as another algorithm or `crit`.',
    cause: 'A token of another issuer, or an attempt to weaken the check.',
    remedy: 'Sign with HS256 and a plain header.',
    retry: 'no',
  },
  ERR_REWT_UNKNOWN_KEY: {
    meaning: 'The `kid` names a secret that the keyring does not hold.',
    cause: 'The secret was revoked or has ended, or the signer uses another namespace, database or server.',
    remedy: 'Sign a new token. If new tokens are refused too, compare `rewt status` for signer and verifier.',
    retry: 'no',
  },
  ERR_REWT_BAD_SIGNATURE: {
    meaning: 'The signature was not made with the secret that the token names.',
    cause: 'A forged or altered token; without a `kid`, also one whose secret has ended.',
    remedy: 'Sign a new token. Many of these from one client are an attack.',
    retry: 'no',
  },
  ERR_REWT_PAYLOAD_INVALID: {
    meaning: 'The signature is good, and the header names a JWT, but the payload is not a JSON object.',
    cause: 'A signer that is not rewt.',
    remedy: 'Sign an object, or leave `typ` out of the header for a text.',
    retry: 'no',
  },
  ERR_REWT_CLAIM_INVALID: {
    meaning: 'A registered claim has a value that RFC 7519 does not allow. `claim` names it.',
    cause: 'A signer that is not rewt: a number for `sub`, milliseconds for `exp`.',
    remedy: 'Correct the claim where the token is signed.',
    retry: 'no',
  },
  ERR_REWT_CLAIM_MISSING: {
    meaning: 'The verifier requires a claim that the token does not have. `claim` names it.',
    cause: 'The signer does not set it, or the verifier expects too much.',
    remedy: 'Set the claim in `sign`, or remove the expectation from `verify`.',
    retry: 'no',
  },
  ERR_REWT_CLAIM_MISMATCH: {
    meaning: 'A claim is not what the verifier expects. `claim` names it.',
    cause: 'A token for another audience, of another issuer, or for another subject.',
    remedy: 'Sign for this verifier, or correct its `audience`, `issuer`, `subject` or `jwtid`.',
    retry: 'no',
  },
  ERR_REWT_EXPIRED: {
    meaning: 'The token has ended, at `expiredAt`.',
    cause: 'It is older than its life, or clocks differ by more than `clockTolerance`.',
    remedy: 'Sign a new token. If fresh ones are refused, compare the clocks with `rewt doctor`.',
    retry: 'no',
  },
  ERR_REWT_NOT_ACTIVE: {
    meaning: 'The token is not valid before `date`.',
    cause: '`notBefore`, or clocks that differ by more than `clockTolerance`.',
    remedy: 'Wait until then, or correct the clocks.',
    retry: 'yes',
  },
  ERR_REWT_TOO_OLD: {
    meaning: 'The token is older than `maxAge` of the verifier.',
    cause: 'The verifier wants younger tokens than the signer makes.',
    remedy: 'Sign a new token for each use, or raise `maxAge`.',
    retry: 'no',
  },
  ERR_REWT_SCHEMA: {
    meaning: 'The payload does not fit the schema of the verifier. `issues` holds what the schema reported.',
    cause: 'Signer and verifier disagree about the claims.',
    remedy: 'Correct the claims or the schema. Log `issues` only if the payload may be logged.',
    retry: 'no',
  },
});

/** `StoreError`: the store cannot be used, which is no fault of a token. */
export const storeErrors = /* @__PURE__ */ rows({
  ERR_REWT_STORE_DOWN: {
    meaning: 'The store cannot be reached or used, and there is no copy that may be used without it.',
    cause:
      'The server is away, starting or failing over, or a cluster is not whole. ' +
      'Its address, its kind (cluster, sentinel) or its TLS may be another one. ' +
      'Of a folder: its parent is missing, something else is in it, or it has no hard links. ' +
      'The message has what is known.',
    remedy: 'Run `rewt doctor`. See "503 everywhere" in the runbook.',
    retry: 'yes',
  },
  ERR_REWT_STORE_TIMEOUT: {
    meaning: 'The store did not answer within `storeTimeout`.',
    cause: 'A slow or silent network, a blocked server, TLS to a port without it, or a busy event loop.',
    remedy: 'Look at latency and at the event loop. Raise `storeTimeout` only if such times are normal.',
    retry: 'yes',
  },
  ERR_REWT_STORE_DENIED: {
    meaning: 'The store refuses this user a command or a key.',
    cause:
      'A wrong password, or an ACL that lacks a right. Of a folder: another owner, or a mode that lets others write.',
    remedy:
      'Run `rewt doctor`: it names the missing right, or the owner. ' +
      'Then correct the user with `ACL SETUSER`, or run as the owner. ' +
      'For a member that is not to write, see "503 everywhere" in the runbook.',
    retry: 'once mended',
  },
  ERR_REWT_STORE_READ_ONLY: {
    meaning: 'The server takes no writes, so its answers may lack a revocation.',
    cause: 'A replica, a master that may have been replaced, a full disk, or too few replicas.',
    remedy: 'Connect to the master. If this is the master, the message names what it lacks.',
    retry: 'yes',
  },
  ERR_REWT_STORE_FULL: {
    meaning: 'The store has no room for the keyring.',
    cause: 'Redis has reached `maxmemory`, or the disk is full.',
    remedy:
      'Give it more memory, or remove other data. ' +
      'Never let it evict: the keyring would be evicted too. See "Redis is full" in the runbook.',
    retry: 'once mended',
  },
  ERR_REWT_STORE_WRONG_TYPE: {
    meaning: 'A key of this namespace holds something that is not a string.',
    cause: 'Another program uses the same name.',
    remedy: 'Look with `TYPE`. Use another namespace, or replace what is there by `revoke({ replace: "unreadable" })`.',
    retry: 'once mended',
  },
  ERR_REWT_STORE_CLOSED: {
    meaning: 'This Rewt, its store or the client that it was given is closed.',
    cause: 'A call after `close()`, or a client that was closed first.',
    remedy: 'Close rewt after the last call, and the client after rewt.',
    retry: 'no',
  },
  ERR_REWT_STORE_CONTENDED: {
    meaning: 'The keyring changed each time that this member tried to write it.',
    cause: 'Another program writes the same keys without end.',
    remedy: 'Find the writer with `MONITOR`, or allow a longer `storeTimeout`.',
    retry: 'yes',
  },
  ERR_REWT_COPY_NOT_FRESH: {
    meaning: '`signSync` or `verifySync` would have to read the store first, and they cannot wait.',
    cause: 'The first call, a quiet time, or a `kid` that the copy does not hold. It is no outage.',
    remedy: 'Await `sign` or `verify` instead.',
    retry: 'yes',
  },
  ERR_REWT_RING_UNREADABLE: {
    meaning: 'The keyring in the store is damaged, or another program wrote it.',
    cause: 'A program that uses the same key, or an edit by hand.',
    remedy: 'Find out who wrote it. Then restore it, or replace it by `revoke({ replace: "unreadable" })`.',
    retry: 'once mended',
  },
  ERR_REWT_RING_NEWER: {
    meaning: 'The keyring was written by a newer rewt that this one cannot read.',
    cause: 'A deploy of a new version beside an old one.',
    remedy: 'Update rewt here. `revoke({ replace: "newer" })` drops the newer keyring for the whole fleet.',
    retry: 'once mended',
  },
  ERR_REWT_RING_AWAITED: {
    meaning: 'A member with `readOnly` waits until a member that signs has begun, revoked or completed the keyring.',
    cause:
      'No member that signs has run yet, or none runs now. ' +
      'Or an operator or an original rewt has just replaced the secret.',
    remedy: 'Start a member that signs. If the keyring is to be revoked, `rewt revoke` does it too.',
    retry: 'yes',
  },
  ERR_REWT_RING_SEALED: {
    meaning: 'The keyring is sealed with a key that this member does not have.',
    cause: 'A member without `sealKey`, or with another one; a new key that has not been deployed here.',
    remedy:
      'Add the key that the message names to `sealKey`; `rewt seal-key --id` prints the name of a key. ' +
      'If that key is lost, `revoke({ replace: "sealed" })` begins a new keyring, and every token is refused.',
    retry: 'once mended',
  },
});

/** `OptionError`: the calling program is at fault. */
export const callerErrors = /* @__PURE__ */ rows({
  ERR_REWT_OPTION: {
    meaning: 'An option is unknown, has a wrong value, or does not fit another one. `option` names it.',
    cause: 'A mistake in the calling program or its configuration.',
    remedy: 'Follow the message: it has the rule.',
    retry: 'no',
  },
  ERR_REWT_PAYLOAD: {
    meaning: 'The payload cannot be signed.',
    cause: 'A claim with a wrong value, a payload that is no JSON, or a token longer than `maxTokenBytes`.',
    remedy: 'The message names the claim or the limit.',
    retry: 'no',
  },
  ERR_REWT_ROTATION_REFUSED: {
    meaning: '`rotate()` came too soon: a member may lack the next secret, or too many retired ones still verify.',
    cause: 'Another rotation within `maxStaleness`, or many of them within the life of a token.',
    remedy: 'Wait for as long as the message says. After a leak call `revoke()`, which is never too soon.',
    retry: 'yes',
  },
});

/**
 * Keeps the codes as a type and the texts out of the declaration file.
 * Marked as pure, so that a bundle has only the tables that it uses.
 */
function rows<Code extends string>(table: Record<Code, ErrorRow>): Readonly<Record<Code, ErrorRow>> {
  return Object.freeze(table);
}
