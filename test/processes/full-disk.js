/**
 * Fills a disk under a member and makes room again; prints what each step showed as JSON.
 * `node full-disk.js <compiled library> <mount point> <what is used up>`, in a mount namespace of
 * its own.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , dist, mountPoint, what] = process.argv;
const { fileStore, Rewt } = await import(pathToFileURL(join(dist, 'index.js')).href);

const caught = (work) =>
  work.then(
    () => null,
    ({ code, message, cause }) => ({ code, message, syscall: cause?.syscall }),
  );

/** Room for that many bytes in whole pages, and for that many names. */
const disks = {
  bytes: { mount: 'size=64k', fill: fillBytes },
  names: { mount: 'size=1m,nr_inodes=24', fill: () => fillNames(0) },
  'all names but one': { mount: 'size=1m,nr_inodes=24', fill: () => fillNames(1) },
};
const { mount, fill } = disks[what];
const filler = join(mountPoint, 'filler');

function fillBytes() {
  const fd = openSync(filler, 'w');
  untilFull(() => writeSync(fd, Buffer.alloc(4_096)));
  closeSync(fd);
}

function fillNames(left) {
  mkdirSync(filler);
  let count = 0;
  untilFull(() => {
    closeSync(openSync(join(filler, `${count}`), 'w'));
    count += 1;
  });
  for (let n = 0; n < left; n += 1) rmSync(join(filler, `${n}`));
}

function untilFull(step) {
  try {
    for (;;) step();
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error;
  }
}

execFileSync('mount', ['-t', 'tmpfs', '-o', `${mount},mode=0700`, 'tmpfs', mountPoint]);
const path = join(mountPoint, 'keys');
const member = () => new Rewt({ store: fileStore({ path }) });
const namesIn = (folder) => readdirSync(folder, { recursive: true }).sort();

const rewt = member();
const token = await rewt.sign({ user: 'ann' });
const { lineage, generation, epoch } = rewt.status().keyring;
const before = namesIn(path);
fill();
const errors = [await caught(rewt.rotate({ force: true })), await caught(rewt.revoke())];
const left = namesIn(path);
const newcomer = member();
const accepted = await caught(newcomer.verify(token));
const kept = newcomer.status().keyring;
rmSync(filler, { recursive: true });
const { kid } = await newcomer.revoke();
const fresh = await member().sign({ user: 'bob' });
const after = {
  refused: await caught(newcomer.verify(token)),
  accepted: await caught(newcomer.verify(fresh)),
  signing: newcomer.status().keyring.current.kid === kid,
};
console.log(
  JSON.stringify({
    path,
    errors,
    before,
    left,
    accepted,
    after,
    held: { lineage, generation, epoch },
    kept: { lineage: kept.lineage, generation: kept.generation, epoch: kept.epoch },
  }),
);
process.exit();
