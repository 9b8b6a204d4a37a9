/** As a TypeScript program without Node's types uses the default and the named imports. */
import Rewt, {
  isRewtError,
  type JwtClaims,
  memoryStore,
  type RewtOptions,
  type StandardSchema,
  TokenError,
} from 'rewt';

declare const console: { log(line: string): void };

interface Claims extends JwtClaims {
  username: string;
}

const options: RewtOptions = { store: memoryStore(), redisNamespace: 'foobar', ttl: 60 * 60 };

/** As zod and others make them. */
const schema: StandardSchema<{ name: string }> = {
  '~standard': {
    version: 1,
    vendor: 'consumer',
    validate: (value) => ({ value: { name: (value as Claims).username } }),
  },
};

async function main(): Promise<void> {
  await using rewt: Rewt = new Rewt(options);
  const token: string = await rewt.sign({ username: 'a@b.c' }, { expiresIn: '1m', audience: 'mail' });
  const { username, exp } = await rewt.verify<Claims>(token, { audience: /mail/ });
  const expires: number | undefined = exp;
  const complete = await rewt.verifyComplete<Claims>(token);
  const sameName: string = complete.payload.username;
  if (username !== 'a@b.c' || sameName !== username || expires === undefined) throw new Error('another payload');

  const mine = new Rewt<{ username: string }>({ ...options, verify: { audience: 'mail' } });
  const own: string = (await mine.verify(await mine.sign({ username: 'a@b.c', aud: 'mail' }))).username;
  const { name }: { name: string } = await rewt.verify(token, { schema });
  const schemed = new Rewt({ ...options, verify: { schema } });
  const anyRewt: Rewt = mine;
  const same: string = schemed.verifySync(await schemed.sign({ username: own })).name;
  if (name !== username || same !== own || anyRewt !== mine) throw new Error('another name');

  const refusal: unknown = await rewt.verify('no.to.ken').catch((error: unknown) => error);
  if (!isRewtError(refusal) || !(refusal instanceof TokenError)) throw new Error('not a TokenError');
  const code: TokenError['code'] = refusal.code;
  console.log(`default-import: ${code}`);
}

void main();
