/**
 * The option `header` of sign, with any value: what it may not touch stays rewt's, and what was
 * taken arrives as it was.
 */

import fc from 'fast-check';
import type { CompleteToken, SignOptions } from '../../../src/index.js';
import { isRefusal } from '../../../src/jwt/authenticate.js';
import { createMac } from '../../../src/jwt/mac.js';
import { compileSignOptions } from '../../../src/jwt/sign-options.js';
import { encodeHeader, readToken, signToken } from '../../../src/jwt/token.js';
import { KIDS, SECRETS } from '../secrets.js';
import { openUsual } from '../stage.js';
import { assertThat, isSame, outcomeOf, targetOf } from '../target.js';
import { mostly, texts } from '../texts.js';
import { build, objects, values } from '../values.js';

const MAX_BYTES = 65_536;

export function headerTarget() {
  const { rewt, call } = openUsual({ maxTokenBytes: MAX_BYTES });
  const mac = createMac(Buffer.from(SECRETS[0]));
  const [kid = ''] = KIDS;

  return targetOf({
    inputs: fc.record({ header: mostly(5, objects, values), text: texts, isText: fc.boolean() }),
    async play({ header, text, isText }) {
      const compiled = await outcomeOf(() => compileSignOptions({ header: build(header) }));
      if ('code' in compiled) return compiled.code;
      const extra = compiled.value.header ?? {};
      const typ = isText ? {} : { typ: 'JWT' };
      const wanted = { alg: 'HS256', ...typ, kid, ...extra };

      const segment = encodeHeader(kid, isText ? 'text' : 'claims', extra);
      const read = readToken(signToken(segment, text, mac, Infinity), Infinity);
      assertThat(!isRefusal(read), 'what was signed cannot be read', () => ('code' in read ? String(read.code) : ''));
      const { alg, crit, b64 } = read.header;
      const isOurs = alg === 'HS256' && read.kid === kid && crit === undefined && b64 === undefined;
      assertThat(isOurs, 'an option changed what is not its own');
      assertThat(isSame({ ...read.header }, wanted), 'a header does not arrive as it was given');

      const options = { header: build(header) } as SignOptions;
      const signed = await call(() => rewt.sign(isText ? text : { text }, options));
      if ('code' in signed) return signed.code;
      const verified = await call<CompleteToken>(() => rewt.verifyComplete(signed.value));
      assertThat('value' in verified, 'what was signed is refused', () => ('code' in verified ? verified.code : ''));
      assertThat(isSame(verified.value.header, wanted), 'a verified header is not the one that was given');
      return 'accepted';
    },
    close: () => rewt.close(),
  });
}
