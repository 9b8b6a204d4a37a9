/**
 * The claims that everybody signs and the tokens that everybody verifies: of the sizes that
 * services have, and a new string each time.
 */

export const audience = 'orders';
export const issuer = 'billing';
export const lifetimeSeconds = 300;

/** So many different ones, a power of two. */
export const SAMPLES = 256;

/** What `iat` and `exp` add to the JSON. */
const TIMES_BYTES = ',"iat":1700000000,"exp":1700000300'.length;

/**
 * Claims without times, whose JSON has so many bytes once it has them: flat, or with what fills it
 * in a list, as roles and permissions are.
 */
export function claimSets(bytes, filling = 'flat') {
  return Array.from({ length: SAMPLES }, (_, n) => {
    const claims = {
      iss: issuer,
      sub: `user-${1_000 + n}`,
      aud: audience,
      jti: `${n + SAMPLES}-7d0c41`,
      scope: 'orders',
    };
    const left = bytes - JSON.stringify(claims).length - TIMES_BYTES;
    return filling === 'flat' ? { ...claims, scope: fill('orders', left) } : { ...claims, permissions: list(left) };
  });
}

const fill = (text, more) => text + ' read write invoices customers'.repeat(Math.ceil(more / 30)).slice(0, more);

/** Entries of 20 bytes, with quotes and comma; the last one is longer. */
function list(bytes) {
  const inside = bytes - ',"permissions":[]'.length;
  const entries = Array.from(
    { length: Math.floor((inside + 1) / 20) },
    (_, n) => `invoice:${String(n).padStart(4, '0')}:read`,
  );
  entries[entries.length - 1] += 'x'.repeat((inside + 1) % 20);
  return entries;
}

/**
 * Gives the tokens in turn, each time as a new string, made from bytes as an HTTP parser makes it:
 * V8 keeps things with a string that it has seen before, such as its hash.
 */
export function freshTokens(tokens) {
  const bytes = tokens.map((token) => Buffer.from(token, 'latin1'));
  return (n) => bytes[n % bytes.length].toString('latin1');
}
