/** The recipes with the vendors' clients, against stand-ins on loopback. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { fileStore, Rewt } from '../../../dist/esm/index.js';
import { startStandIn } from './stand-ins.js';
import { vendors } from './vendors.js';

for (const kind of ['aws', 'google', 'vault']) {
  describe(`the recipe ${kind}.js`, () => {
    const members = [];
    const folders = [];
    let service;
    let vendor;

    before(async () => {
      service = await startStandIn(kind);
      vendor = vendors[kind](service.port);
    });
    after(async () => {
      await vendor.close();
      await service.stop();
      for (const folder of folders) rmSync(folder, { recursive: true });
    });
    afterEach(async () => {
      for (const member of members.splice(0)) await member.close();
    });

    const newFolder = async () => {
      folders.push(await mkdtemp(join(tmpdir(), 'rewt-kms-')));
      return folders.at(-1);
    };
    const memberOn = (folder, sealKey) => {
      members.push(new Rewt({ store: fileStore({ path: folder }), sealKey }));
      return members.at(-1);
    };
    const sealOf = (member) => member.status().keyring.sealed;

    it('gives a member the seal key, by one call', async () => {
      const folder = await newFolder();
      const sealKey = vendor.sealKey([await vendor.wrap()]);
      const callsBefore = service.calls.length;
      const member = memberOn(folder, sealKey);
      const token = await member.sign({ sub: 'ann' });
      for (let times = 0; times < 10; times++) assert.equal((await member.verify(token)).sub, 'ann');
      assert.equal(service.calls.length - callsBefore, 1);
      assert.equal(sealOf(member).opens, true);
      assert.match(contentsOf(folder), /rewt-sealed\.1\./);

      assert.equal((await memberOn(folder, sealKey).verify(token)).sub, 'ann');
    });

    it('opens the same keyring after the service has rotated its key', async () => {
      const folder = await newFolder();
      const wrapped = await vendor.wrap();
      const token = await memberOn(folder, vendor.sealKey([wrapped])).sign({ sub: 'ann' });
      service.rotate();
      assert.equal((await memberOn(folder, vendor.sealKey([wrapped])).verify(token)).sub, 'ann');
    });

    it('opens a keyring under the old one of two seal keys', async () => {
      const folder = await newFolder();
      const old = await vendor.wrap();
      const first = memberOn(folder, vendor.sealKey([old]));
      const token = await first.sign({ sub: 'ann' });
      service.rotate();
      const second = memberOn(folder, vendor.sealKey([await vendor.wrap(), old]));
      assert.equal((await second.verify(token)).sub, 'ann');
      assert.equal(second.status().sealKeys.length, 2);
      assert.equal(sealOf(second).keyId, second.status().sealKeys[1]);
      assert.equal((await first.verify(await second.sign({ sub: 'bob' }))).sub, 'bob');
    });

    it('needs the encryption context', async () => {
      await assert.rejects(vendor.wrap(''), /no encryption context/);
      const member = memberOn(await newFolder(), vendor.sealKey([await vendor.wrap('another purpose')]));
      await assert.rejects(member.sign({ sub: 'ann' }), { code: 'ERR_REWT_RING_SEALED', status: 503 });
    });

    it('is missed by a member that starts, and not by one that runs, while the service is away', async (t) => {
      const folder = await newFolder();
      const away = await startStandIn(kind);
      const client = vendors[kind](away.port);
      t.after(() => client.close());
      t.after(() => away.stop());
      const sealKey = client.sealKey([await client.wrap()]);
      const running = memberOn(folder, sealKey);
      const token = await running.sign({ sub: 'ann' });
      await away.stop();

      const starting = memberOn(folder, sealKey);
      await assert.rejects(starting.verify(token), { code: 'ERR_REWT_RING_SEALED', status: 503 });
      await running.rotate({ force: true });
      assert.equal((await running.verify(token)).sub, 'ann');
      assert.equal((await running.verify(await running.sign({ sub: 'bob' }))).sub, 'bob');
      assert.equal(sealOf(running).opens, true);
    });
  });
}

/** The texts of all files under a folder. */
function contentsOf(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}
