/**
 * What attackers do in the proofs of SECURITY.md's tables, and what members of a real Redis must
 * make of it.
 */
import { expect } from 'vitest';
import { until } from '../support/servers.js';
import { expectForged, keepKeyring, kidIn, openedBy, outcomesOf, type Scene, type Send } from './attackers.js';
import { codeOf } from './fleet.js';

export type Proof = (scene: Scene) => unknown;

export const ownSecret = 'the-attackers-secret-of-more-than-32-bytes';

export const readsRedis = ({ user }: Scene): Promise<{ send: Send }> => user(['%R~*', '+scan', '+get', '+pttl']);
export const writesRedis = ({ user }: Scene): Promise<{ send: Send }> => user(['~*', '+set', '+del', '+expire']);
export const operates = ({ user }: Scene): Promise<{ send: Send }> => user(['~*', '&*', '+@all']);

/** A token that the other live member accepts. */
export async function acceptedToken({ victim, judge }: Scene): Promise<string> {
  const token = await victim.sign({ by: 'ann' });
  expect(await outcomesOf([token], judge)).toEqual([200]);
  return token;
}

/** Every live member and a new one refuse what was signed before, and a fresh secret signs. */
export async function expectRevoked(scene: Scene, revoke: () => Promise<unknown>): Promise<void> {
  const token = await acceptedToken(scene);
  await revoke();
  for (const member of [scene.judge, scene.victim, scene.member()]) {
    expect(await outcomesOf([token], member)).toEqual([401]);
  }
  expect(kidIn(await acceptedToken(scene))).not.toBe(kidIn(token));
}

export async function expectStopped(scene: Scene, send: Send): Promise<void> {
  const token = await acceptedToken(scene);
  await send('SET', scene.ring, 'no keyring');
  for (const member of [scene.victim, scene.judge]) expect(await outcomesOf([token], member)).toEqual([503]);
  expect(await codeOf(scene.victim.sign({}))).toBe('ERR_REWT_RING_UNREADABLE');
}

/** An EXPIRE brings the rotation forward; one beyond two `ttl` is undone on a sealed keyring. */
export async function expectMoved(scene: Scene, send: Send): Promise<void> {
  const { judge, mode, key } = scene;
  const token = await acceptedToken(scene);
  const { next } = judge.status().keyring ?? {};
  const after = async (seconds: string) => {
    await send('EXPIRE', key, seconds);
    await judge.ready();
    return Number(await send('PTTL', key)) / 1_000;
  };
  expect(await after('110')).toBeCloseTo(110, -1);
  expect(await after('500')).toBeCloseTo(mode === 'sealed' ? 110 : 500, -1);
  await send('PEXPIRE', key, '2000');
  await judge.ready();
  await until('it rotates', async () => {
    await judge.ready();
    return judge.status().keyring?.current.kid === next?.kid;
  });
  expect(await outcomesOf([token], judge)).toEqual([200]);
  expect(judge.status().keyring?.epoch).toBe(0);
}

/** The older ring is of the same epoch, and its current secret signs again. */
export async function expectOlderRing(scene: Scene): Promise<string> {
  const { victim, judge, member } = scene;
  const before = await acceptedToken(scene);
  const putBack = await keepKeyring(scene);
  await victim.rotate({ force: true });
  await Promise.all([victim, judge].map((live) => live.close()));
  await putBack();
  const alone = member();
  await alone.ready();
  expect(alone.status().keyring).toMatchObject({ epoch: 0, current: { kid: kidIn(before) } });
  return before;
}

/**
 * What a live member saw revoked stays so, whatever is put back; for new members too once the live
 * one has read that. It refuses such a token without waiting for the read.
 */
export async function expectNoReturn(scene: Scene): Promise<void> {
  const token = await acceptedToken(scene);
  const putBack = await keepKeyring(scene);
  await scene.victim.revoke();
  expect(await outcomesOf([token], scene.judge)).toEqual([401]);
  await putBack();
  for (const member of [scene.judge, scene.victim]) expect(await outcomesOf([token], member)).toEqual([401]);
  await scene.judge.ready();
  expect(await outcomesOf([token], scene.member())).toEqual([401]);
}

export async function expectUseUntilExp({ member, judge }: Scene): Promise<void> {
  const signer = member({ tokenLifetime: 0.4, clockTolerance: 0 });
  // Again, should a busy machine take longer than that.
  const token = await until('one is shown in time', async () => {
    const signed = await signer.sign({});
    return (await codeOf(judge.verify(signed))) === 'no error' && signed;
  });
  await until('it has ended', async () => (await codeOf(judge.verify(token))) === 'ERR_REWT_EXPIRED');
}

export const forges =
  (attacker: (scene: Scene) => Promise<{ send: Send }>): Proof =>
  async (scene) => {
    await scene.victim.ready();
    await expectForged(await openedBy((await attacker(scene)).send, scene), scene, true);
  };
export const revokes = (scene: Scene) => expectRevoked(scene, () => scene.victim.revoke({ reason: 'a test' }));
export const verifier = (scene: Scene) => scene.role('verifier');
export const signer = (scene: Scene) => scene.role('member');

export async function cannotDestroy(scene: Scene): Promise<void> {
  const { key, ring, member } = scene;
  const token = await acceptedToken(scene);
  const { send, url } = await scene.role('verifier');
  const orders: [string, ...string[]][] = [
    ...[key, ring].flatMap((name): [string, ...string[]][] => [
      ['SET', name, ownSecret],
      ['DEL', name],
      ['EXPIRE', name, '1'],
      ['RENAME', name, `${name}-2`],
    ]),
    ['EVAL', "return redis.call('GET', KEYS[1])", '1', key],
    ['FLUSHALL'],
    ['PUBLISH', '__redis__:invalidate', 'x'],
  ];
  for (const words of orders) await expect(send(...words)).rejects.toThrow('NOPERM');
  const taken = member({ redisConn: url, readOnly: true });
  expect(await outcomesOf([token], taken)).toEqual([200]);
  for (const call of [() => taken.rotate(), () => taken.revoke(), () => taken.sign({})]) {
    await expect((async () => call())()).rejects.toThrow();
  }
  expect(await outcomesOf([token], scene.judge)).toEqual([200]);
}

export const writes = (action: (scene: Scene, send: Send) => Promise<unknown>, attacker = writesRedis): Proof => {
  return async (scene) => action(scene, (await attacker(scene)).send);
};
export const writerRevokes = writes(async (scene, send) => {
  await expectRevoked(scene, () => send('DEL', scene.key));
  await expectRevoked(scene, () => send('SET', scene.key, ownSecret));
  if (scene.mode === 'sealed') await expectForged([ownSecret], scene, false);
});

/** Of a sealed keyring, a ring whose current secret this member saw end is no ring of today. */
export async function expectEndedRefused(scene: Scene): Promise<void> {
  const live = scene.member({ tokenLifetime: 0.1, clockTolerance: 0.1 });
  const token = await live.sign({});
  const putBack = await keepKeyring(scene);
  await live.rotate({ force: true });
  const [retired] = live.status().keyring?.retired ?? [];
  await until('it has ended', async () => Date.now() > Number(retired?.verifiesUntil) + 50);
  await live.ready();
  await putBack();
  await live.ready();
  expect(live.status().keyring).toMatchObject({ epoch: 1 });
  expect(live.status().keyring?.current.kid).not.toBe(kidIn(token));
}
