/** As a TypeScript program uses named imports and callbacks. */
import { type Callback, memoryStore, type Payload, Rewt, type Status, type Store, StoreError } from 'rewt';

declare const console: { log(line: string): void };

const store: Store = memoryStore();
const payload: Payload = { username: 'a@b.c' };
let rewt: Rewt;

const signed: Callback<string> = (error, token) => {
  if (error !== null || token === undefined) throw error ?? new Error('no token');
  rewt.verify<{ username: string }>(token, { maxAge: '1h' }, (refusal, claims) => {
    if (refusal instanceof StoreError) throw refusal;
    const status: Status = rewt.status();
    const kid: string | undefined = status.keyring?.signing;
    console.log(`named-import: ${claims?.username} ${typeof kid}`);
  });
};

rewt = new Rewt({ store });
rewt.sign(payload, signed);
