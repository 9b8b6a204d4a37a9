/** The option `header` of sign, with any value: what it may not touch stays rewt's, and what was taken arrives as it was. */

import fc from 'fast-check';
import type { CompleteToken, SignOptions } from '../../../src/index.js';
import { compileSignOptions } from '../../../src/jwt/claims.js';
import { createMac } from '../../../src/jwt/mac.js';
import { encodeHeader, isRefusal, readToken, signToken } from '../../../src/jwt/token.js';
import { KIDS, SECRETS } from '../secrets.js';
import { openUsual } from '../stage.js';
import { assertThat, isSame, outcomeOf, type Target } from '../target.js';
import { texts } from '../texts.js';
import { build, members, type Value, values } from '../values.js';

const MOST_BYTES = 65_536;

interface Input {
  readonly header: Value;
  readonly text: string;
  readonly isText: boolean;
}

interface Live {
  /** Anew for each call: a getter may say something else the second time. */
  readonly header: () => unknown;
  readonly text: string;
  readonly isText: boolean;
}

export function headerTarget(): Target<Input, Live> {
  const { rewt, turn } = openUsual({ maxTokenBytes: MOST_BYTES });
  const mac = createMac(Buffer.from(SECRETS[0]));
  const [kid = ''] = KIDS;

  return {
    grammar: fc.record({
      header: fc.oneof({ arbitrary: members.map((object) => ({ object })), weight: 5 }, values),
      text: texts,
      isText: fc.boolean(),
    }),
    prepare({ header, text, isText }) {
      build(header);
      return { header: () => build(header), text, isText };
    },
    async play({ header, text, isText }) {
      const compiled = await outcomeOf(() => compileSignOptions({ header: header() }));
      if ('code' in compiled) return compiled.code;
      const extra = compiled.value.header ?? {};
      const typ = isText ? {} : { typ: 'JWT' };
      const wanted = { alg: 'HS256', ...typ, kid, ...extra };

      const segment = encodeHeader(kid, isText ? 'text' : 'claims', extra);
      const read = readToken(signToken(segment, text, mac, Infinity), Infinity);
      assertThat(!isRefusal(read), 'what was signed cannot be read', () => ('code' in read ? String(read.code) : ''));
      const isOurs = read.header.alg === 'HS256' && read.kid === kid;
      assertThat(
        isOurs && !('crit' in read.header) && !('b64' in read.header),
        'an option changed what is not its own',
      );
      assertThat(isSame({ ...read.header }, wanted), 'a header does not arrive as it was given');

      turn();
      const options = { header: header() } as SignOptions;
      const signed = await outcomeOf(() => rewt.sign(isText ? text : { text }, options));
      if ('code' in signed) return signed.code;
      turn();
      const verified = await outcomeOf<CompleteToken>(() => rewt.verify(signed.value, { complete: true }));
      assertThat('value' in verified, 'what was signed is refused', () => ('code' in verified ? verified.code : ''));
      assertThat(isSame(verified.value.header, wanted), 'a verified header is not the one that was given');
      return 'accepted';
    },
    async close() {
      await rewt.close();
    },
  };
}
