/** What an application gets with a package: how many packages, and how much on disk. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** As npm counts. */
const KILOBYTE = 1_000;

/**
 * `folders` says in which node_modules each package is; `tarball` is what `npm pack` says of ours.
 */
export async function weights(folders, tarball) {
  const rows = [];
  for (const [name, folder] of Object.entries(folders)) {
    const packages = await withDependencies(name, folder);
    let bytes = 0;
    for (const one of packages) bytes += await bytesIn(join(folder, one));
    rows.push({ name, dependencies: packages.size - 1, 'on disk, kB': Math.round(bytes / KILOBYTE) });
  }
  const [ours] = rows;
  ours['tarball, kB'] = Math.round(tarball.size / KILOBYTE);
  ours.files = tarball.entryCount;
  return {
    id: 'start weight',
    title: 'What is installed',
    columns: ['dependencies', 'on disk, kB', 'tarball, kB', 'files'],
    rows,
  };
}

/** In a flat node_modules, as npm makes one where no two versions are needed. */
async function withDependencies(name, folder, found = new Set()) {
  if (found.has(name)) return found;
  const manifest = await readFile(join(folder, name, 'package.json'), 'utf8').catch(() => null);
  // An optional one that is not there.
  if (manifest === null) return found;
  found.add(name);
  for (const other of Object.keys(JSON.parse(manifest).dependencies ?? {}))
    await withDependencies(other, folder, found);
  return found;
}

async function bytesIn(folder) {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await bytesIn(path) : (await stat(path)).size;
  }
  return bytes;
}
