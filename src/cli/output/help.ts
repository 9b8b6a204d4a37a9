/** The texts of `--help`. */

import { PASSWORD_VARIABLE, SEAL_KEY_VARIABLE, variables } from '../input/link.js';

/** As in the table in docs/command.md, in as few words as a line has room for. */
const exitCodes = `Exit codes: 0 valid, 1 refused, 2 usage (or a package to install),
            3 store unavailable, 130 Ctrl-C, 143 SIGTERM`;

export const overview = `rewt: signs and verifies JWTs with one secret that all members share and that
rotates by itself.

  rewt sign '{"user":"ann"}' | rewt verify

  rewt sign     signs a payload
  rewt verify   verifies a token and prints its payload
  rewt rotate   lets the next secret sign now; no token is refused for it
  rewt revoke   drops every secret; no token signed before verifies any more
  rewt status   shows the keyring: kids and times, never a secret; --watch: live
  rewt set      changes how long secrets sign and verify
  rewt list     names the keyrings that there are
  rewt move     brings an old keyring under its key prefix
  rewt reseal   puts a keyring under another seal key
  rewt explain  says of a token what it is and why it is refused
  rewt doctor   looks for what is wrong with the store, and says what to do
  rewt acl      prints the rights of a Redis user, as a line of ACL SETUSER
  rewt serve    judges tokens for services behind a reverse proxy
  rewt seal-key makes a key that seals keyrings, or names the keys in a file

Each verb has --help.
${exitCodes}.`;

const namespace = `  --namespace <name> which keyring; or ${variables.namespace}; default: rewt
`;

const output = `  --json             one JSON object on stdout, errors too
  -h, --help
`;

const common = (extra: string) => `
  --url <url>        redis://..., rediss://... or file:<folder>; or ${variables.url}.
                     Without: an embedded store in $XDG_STATE_HOME/rewt,
                     else ~/.local/state/rewt
${extra}  --key-prefix <text>  what the Redis client of the members puts before keys
  --cluster, --sentinel <master>
                     the URL is of a cluster, of sentinels; or redis+cluster://
                     and redis+sentinel://<host>,<host>/<master> as the URL
  --ca <file>, --cert <file>, --key <file>
                     TLS (rediss) with a private CA, with a client certificate;
                     or ${variables.ca}, ${variables.cert}, ${variables.key}
  --user <name>      user of Redis; or ${variables.user}. Its password in ${PASSWORD_VARIABLE},
                     where it is not visible to other users of this machine
  --seal-key-file <file>
                     the keys of a sealed keyring; or in ${SEAL_KEY_VARIABLE}
${output}
Times are seconds, or have a unit: 90, '90s', '15m', '2h'.
${exitCodes}.
`;

/** Returns the help of one verb: its own part, then the shared part. */
export function helpOf(own: string, { takesNamespace = true, takesPlace = true } = {}): string {
  const shared = takesPlace ? common(takesNamespace ? namespace : '') : `${output}\n${exitCodes}.`;
  return `${own.trim()}\n${shared}`.trimEnd();
}
