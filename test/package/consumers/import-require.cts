/** A TypeScript program in CommonJS: `require` returns the class, with all else as properties. */
import Rewt = require('rewt');

declare const console: { log(line: string): void };

class Mail extends Rewt {
  readonly topic = 'mail';
}

async function main(): Promise<void> {
  const options: Rewt.RewtOptions = { store: Rewt.memoryStore() };
  const mail = new Mail(options);
  const rewt: Rewt = mail;
  const same: Rewt.Rewt = new Rewt.Rewt(options);
  const complete: Rewt.CompleteToken<{ topic: string }> = await same.verifyComplete<{ topic: string }>(
    await rewt.sign({ topic: mail.topic }),
  );
  const username: string = rewt.verifySync<{ username: string }>(rewt.signSync({ username: 'a@b.c' })).username;
  if (username !== 'a@b.c') throw new Error('another username');
  const refusal: unknown = await rewt.verify('no.to.ken').catch((error: unknown) => error);
  if (!(refusal instanceof Rewt.TokenError)) throw new Error('not a TokenError');
  const known: Rewt.TokenError = refusal;
  const { default: byDefault }: { default: typeof Rewt.Rewt } = Rewt;
  if (byDefault !== Rewt) throw new Error('another class by default');
  console.log(`import-require: ${complete.payload.topic} ${known.status}`);
}

void main();
