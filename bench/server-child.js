/**
 * A node:http server that verifies each request's token, with another contender for each request,
 * and keeps the time that it took.
 */

import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import { answer, ordered } from './child.js';
import { createOurs, withFastJwt, withJsonwebtoken } from './contenders.js';
import { seededRandom, shuffled } from './random.js';
import { claimSets } from './samples.js';

let contenders = {};
let times = {};
let turns = [];
const random = seededRandom(ordered().seed);

answer({
  async listen() {
    const { port: redis } = ordered();
    const { rewt: off, secret } = await createOurs(redis, { tokenCache: 0 });
    const { rewt: on } = await createOurs(redis);
    contenders = {
      'rewt, tokenCache: 0': (token) => off.verify(token),
      'rewt, tokenCache: 0, verifySync': (token) => off.verifySync(token),
      'rewt, remembered': (token) => on.verify(token),
      'fast-jwt': withFastJwt(secret).verify,
      'fast-jwt, cache': withFastJwt(secret, { cache: true }).verify,
      'jsonwebtoken, KeyObject': withJsonwebtoken(createSecretKey(Buffer.from(secret))).verify,
    };
    forget();
    const server = createServer(handle).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const tokens = await Promise.all(claimSets(149).map((claims) => on.sign(claims)));
    return { port: server.address().port, tokens };
  },
  forget,
  times: () => times,
});

async function handle(request, response) {
  if (turns.length === 0) turns = shuffled(Object.keys(contenders), random);
  const name = turns.pop();
  const verify = contenders[name];
  const token = request.headers.authorization.slice('Bearer '.length);
  // What node:http has put off until the end of this turn is done by then, and not counted as
  // waiting for a verdict.
  await null;
  const started = process.hrtime.bigint();
  // Who answers at once is not made to wait.
  const verdict = verify(token);
  if (verdict instanceof Promise) await verdict;
  times[name].push(Number(process.hrtime.bigint() - started) / 1_000);
  response.writeHead(204).end();
}

function forget() {
  times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
}
