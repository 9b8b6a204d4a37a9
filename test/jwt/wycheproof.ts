/**
 * The 40 vectors for HS256 of Wycheproof's json_web_signature_test.json, each put together by a
 * recipe of our own.
 *
 * None of them is copied here. The digest says that the recipe gives the very token which the file
 * has under this number.
 */

import { createHmac } from 'node:crypto';
import type { TokenErrorCode } from '../../src/errors.js';
import { base64url } from './forge.js';

export interface Vector {
  /** Wycheproof's number. */
  readonly tcId: number;
  readonly what: string;
  readonly secret: Buffer;
  readonly token: string;
  /** SHA-256 of the token in Wycheproof's file, base64url. */
  readonly digest: string;
  /** What Wycheproof says of it. */
  readonly isValid: boolean;
  /** What we do; null where we accept it. */
  readonly code: TokenErrorCode | null;
}

/** The kids in the vectors' headers; one vector alters the first one and keeps the MAC. */
export const kids = ['kid-aes-sign', 'Xid-aes-sign', '018c0ae5-4d9b-471b-bfd6-eef314bc7037', 'hs256-key'];

/** Where we do not do what Wycheproof says. */
export const exclusions: Readonly<Record<number, string>> = {
  367: 'is called invalid and is, character by character, the token of 357, which is called valid',
  370: 'is called invalid and is, character by character, the token of 357, which is called valid',
  372: 'is called valid and has a ? inside its header, which no base64url has (RFC 7515 §2, RFC 4648 §3.3)',
  373: 'is called valid and has a ? inside its payload, which no base64url has (RFC 7515 §2, RFC 4648 §3.3)',
};

/** The segments of a token whose MAC is right over exactly these spellings. */
interface Parts {
  readonly head: string;
  readonly body: string;
  readonly mac: string;
}

function signed(secret: Buffer, head: string, body: string): Parts {
  return { head, body, mac: createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url') };
}

function join({ head, body, mac }: Parts): string {
  return `${head}.${body}.${mac}`;
}

const first = Buffer.from('-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE', 'base64url');
const foo = signed(first, base64url('{"alg":"HS256","kid":"kid-aes-sign"}'), base64url('foo'));
const jsonForm =
  `{"payload":"${foo.body}","signatures":[{"protected":"${foo.head}",` +
  `"header":{"unknown":"untrustworthy"},"signature":"${foo.mac}"}`;

/**
 * RFC 7520 §4.4: its key is figure 5 (§3.5), its payload figure 7 (§4). Not ASCII: the apostrophes.
 */
const cookbook = Buffer.from('hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg', 'base64url');
export const cookbookText =
  'It\u2019s a dangerous business, Frodo, going out your door. You step onto the road, and if you ' +
  "don't keep your feet, there\u2019s no knowing where you might be swept off to.";
const figure35 = signed(
  cookbook,
  base64url('{"alg":"HS256","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"}'),
  base64url(cookbookText),
);

const zeros = Buffer.alloc(32);
const head = base64url('{"kid":"hs256-key","alg":"HS256"}');
const body = base64url('Test');
const test = signed(zeros, head, body);
/** Payloads whose MAC begins with bytes of zeros, and of ones. */
const low = signed(zeros, head, base64url('T21325668'));
const high = signed(zeros, head, base64url('T8123413'));

const malformed = 'ERR_REWT_MALFORMED';
const forged = 'ERR_REWT_BAD_SIGNATURE';

function vector(secret: Buffer, isValid: boolean) {
  return (tcId: number, what: string, code: TokenErrorCode | null, token: string, digest: string): Vector => ({
    tcId,
    what,
    secret,
    token,
    digest,
    isValid,
    code,
  });
}
const validOfFirst = vector(first, true);
const invalidOfFirst = vector(first, false);
const validOfCookbook = vector(cookbook, true);
const valid = vector(zeros, true);
const invalid = vector(zeros, false);

export const vectors: readonly Vector[] = [
  validOfFirst(1, 'as it was signed', null, join(foo), '-HiSVIg6QBJ4B3CewsTAd-Uf2HowJcnAwnTIVbIeRdw'),
  invalidOfFirst(
    2,
    'the MAC begins with another character',
    forged,
    join({ ...foo, mac: foo.mac.replace(/^./, 'X') }),
    'wAGL5ARGEueokPCnYCEFi0teRwjNMnstaU7bU-LOuWI',
  ),
  invalidOfFirst(
    3,
    'the MAC is empty',
    malformed,
    join({ ...foo, mac: '' }),
    'ZakYn23AFKsXiAjeKlkJuSFswmWu7q8iYoNzdMzI85U',
  ),
  invalidOfFirst(
    4,
    'the MAC is missing, with its dot',
    malformed,
    `${foo.head}.${foo.body}`,
    '-EJNa9sAoAhoFwqTZSc8KLkXsnTwu6gSMaZK1KCq2eU',
  ),
  invalidOfFirst(
    5,
    'another payload',
    forged,
    join({ ...foo, body: base64url('Xoo') }),
    'EqFARNjlQvTk_cKTjZmSEXuk7pg6rNJQTNkn7i2-4Qg',
  ),
  invalidOfFirst(
    6,
    'the payload is empty',
    forged,
    join({ ...foo, body: '' }),
    'zdoiy7_BG5VsEU4pE8RuYn-BT7JJ5JPc-LiwprS8FLg',
  ),
  invalidOfFirst(
    7,
    'the payload is missing, with its dot',
    malformed,
    `${foo.head}.${foo.mac}`,
    'cSeaBnJYtCh5Kki2thclqIsfrnW1AVFGo62jP7gz_OE',
  ),
  invalidOfFirst(
    8,
    'another kid in the header',
    forged,
    join({ ...foo, head: base64url('{"alg":"HS256","kid":"Xid-aes-sign"}') }),
    'jmbAXRpQfrNQf7BYI_ywO_QSOrPKPH3vgr6v3Psez7o',
  ),
  invalidOfFirst(
    9,
    'the header is empty',
    malformed,
    join({ ...foo, head: '' }),
    'ucbrP95DG9j0Gz5bfiO7b8xDe7EMgNuA_QjwfM_h_Fo',
  ),
  invalidOfFirst(
    10,
    'the header is missing, with its dot',
    malformed,
    `${foo.body}.${foo.mac}`,
    'z2XxOSK1WnECfx8gJ51FvDNV152r3shIGm4MHxl60ZQ',
  ),
  invalidOfFirst(
    11,
    'header and MAC are empty',
    malformed,
    `.${foo.body}.`,
    'Nz7YNXbAFWU2EuYCfpm_ZL89S5V_IGaHxeWWVRZG_NU',
  ),
  invalidOfFirst(12, 'the payload alone', malformed, foo.body, 'qTSOSv3aHJ4Awh56i-Yl5cdTYL9vdBgEVRtYt_SR8_I'),
  invalidOfFirst(13, 'nothing at all', malformed, '', '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'),
  invalidOfFirst(14, 'a dot too many', malformed, `${join(foo)}.`, 'Y_wNA9myioC1YQlsLXQxQvM3SbCujUF6XydvE8YPWhU'),
  invalidOfFirst(15, 'a part too many', malformed, `${join(foo)}.foo`, 'DM9z--4Gv1KOLNsxnWwFP9z3XNTGZSIYEhnUzNMFiRs'),
  invalidOfFirst(
    16,
    'alg none, and no MAC',
    'ERR_REWT_UNSUPPORTED',
    `${base64url('{"alg":"none","kid":"kid-aes-sign"}')}.${foo.body}.`,
    'VeiEMcUksezN-Al2hSKIdCnlA1luF0dQCmNd9Zw9hXI',
  ),
  invalidOfFirst(
    17,
    'the JSON serialization, without its end',
    malformed,
    jsonForm,
    'fjREQQ6KvVe63PKmTjishywDWocymxmIIySfg6Vmklk',
  ),
  validOfCookbook(348, 'RFC 7520 figure 35', null, join(figure35), 'xVBxPuphmKA6L_sz-W1Um23JY1UzznMMpLRw2YHF0v0'),
  validOfCookbook(
    352,
    'RFC 7520 figure 35, once more',
    null,
    join(figure35),
    'xVBxPuphmKA6L_sz-W1Um23JY1UzznMMpLRw2YHF0v0',
  ),
  valid(357, 'as it was signed', null, join(test), 'LzeFhoFZ4r0-_Tl2c1bIvwqT5KpyyyEmY_oY-OLISCI'),
  valid(358, 'a MAC that begins with bytes of zeros', null, join(low), 'Wz9_D_FU-EXa7h3kEbPihUlcwk6F43Yiya3eq8t4Xtk'),
  valid(359, 'a MAC that begins with bytes of ones', null, join(high), '1nqWSDaog3CLZcjx8OskJJiZ5yAAjteGFyFHBi1ojo8'),
  invalid(
    360,
    'spaces before the MAC',
    malformed,
    join({ ...test, mac: `    ${test.mac}` }),
    'i63V_6RAvFld8rh212memT5Ba1ldJ-psrEdk7QuaBMw',
  ),
  invalid(
    361,
    'a question mark before the MAC',
    malformed,
    join({ ...test, mac: `?${test.mac}` }),
    'fbPgSRPmcLjAlLwv_KJVdfWOOGuFxV7UuMiZ6IPDbT8',
  ),
  invalid(
    362,
    'a question mark behind the MAC',
    malformed,
    join({ ...test, mac: `${test.mac}?` }),
    'Ky67qN9hT56lXcMv7I0KqHbfInPl2DmXOC-GQhAoHpY',
  ),
  invalid(
    363,
    'a question mark in place of an A that stands for zeros',
    malformed,
    join({ ...low, mac: low.mac.replace(/^A/, '?') }),
    'yLJIT38o59dt5NoyaRgAzfoHyleXyr_nQ3VShx6XdvI',
  ),
  invalid(
    364,
    "question marks in place of the MAC's first bytes",
    malformed,
    join({ ...high, mac: high.mac.replace(/^____/, '????') }),
    'BxQ6tQ8Ktwq3XbaVVJ56KBskt0JW445k2u6XItpKN9Q',
  ),
  invalid(
    365,
    'spaces behind the header, signed with it',
    malformed,
    join(signed(zeros, `${head}    `, body)),
    'Z39_gevc2CtB3LMyPOoL1DtljcTrIVy7T-XcffuHCFs',
  ),
  invalid(
    366,
    'foreign characters behind the header, signed with it',
    malformed,
    join(signed(zeros, `${head}####`, body)),
    'nIFiQFAnHW9jXF4IonjUBYVvkkBazwBcyNUOgTTWMcg',
  ),
  invalid(
    367,
    'as it was signed: what was to be padding is not there',
    null,
    join(test),
    'LzeFhoFZ4r0-_Tl2c1bIvwqT5KpyyyEmY_oY-OLISCI',
  ),
  invalid(
    368,
    'spaces before the payload, signed with it',
    malformed,
    join(signed(zeros, head, `    ${body}`)),
    'R1lz7cY-8Nt4BwQAy-5kqN3fDc0yCpTHjc0WLk6vny0',
  ),
  invalid(
    369,
    'foreign characters before the payload, signed with it',
    malformed,
    join(signed(zeros, head, `####${body}`)),
    'YyjZwz9rabC-S2F4DddChTQ-6fbfYgNMrK4Oe2Vz1zs',
  ),
  invalid(
    370,
    'as it was signed: what was to be padding is not there',
    null,
    join(test),
    'LzeFhoFZ4r0-_Tl2c1bIvwqT5KpyyyEmY_oY-OLISCI',
  ),
  invalid(
    371,
    'a question mark before the payload, signed with it',
    malformed,
    join(signed(zeros, head, `?${body}`)),
    'NludYxWRya2qxt_Kj_hbCm49hfIUtsRP7ZHKcMWNwZE',
  ),
  valid(
    372,
    'a question mark inside the header, after signing',
    malformed,
    join({ ...test, head: `${head.slice(0, -1)}?${head.slice(-1)}` }),
    'vM6MFxkJf70I6X7nmPYskS1BNwrYtoIdNOry6Ej3Lps',
  ),
  valid(
    373,
    'a question mark behind the payload, after signing',
    malformed,
    join({ ...test, body: `${body}?` }),
    'W2p8nxIJJfB8EQMH8uzbkzSExv3u0sGHSv7NDTrUwpA',
  ),
  invalid(
    374,
    'bits left over in the payload, set after signing',
    malformed,
    join({ ...signed(zeros, head, 'AA'), body: 'AB' }),
    '5mG7136gCjbu20SV9zn_yES_GnVX_xfueWPBOT9FZoo',
  ),
  invalid(
    375,
    'bits left over in the payload, signed with it',
    malformed,
    join(signed(zeros, head, 'AB')),
    'W8lYC_9AUDohtTYGoFjeLTCOxRG685LMeqJmn4HbnFY',
  ),
  valid(
    376,
    'a header with spaces',
    null,
    join(signed(zeros, base64url('{ "kid" : "hs256-key", "alg" : "HS256" }'), body)),
    'eMOJd7CHjTzVAiT8c3CN_DNdxSLnozEtoC8M6tS6MnQ',
  ),
  valid(
    377,
    'a header with a line feed and a tab',
    null,
    join(signed(zeros, base64url('{"kid":"hs256-key",\n\t"alg":"HS256"}'), body)),
    '8QBU6KHblMoYgZE8IWk5_lcZXCDDwwHm2ZRv3y0p-rs',
  ),
];
