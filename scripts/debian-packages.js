/**
 * Unpacks programs from Debian's archive into a folder, for tests: nothing is installed, and no
 * server is started.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const mirror = 'http://deb.debian.org/debian';
const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks a package and all that it depends on into `root` of a folder. apt verifies what it
 * downloads.
 *
 * @param {string} folder
 * @param {readonly string[]} suites the last one has the package, those before it have its
 * dependencies
 * @param {string} name
 * @param {{ alone?: boolean }} [options] `alone`: without its dependencies
 * @throws {Error} a sentence that says what to do
 */
export function unpackDebian(folder, suites, name, { alone = false } = {}) {
  if (!existsSync(keys)) {
    throw new Error(
      "Debian's keys are not here, without which nothing is trusted: apt-get install debian-archive-keyring",
    );
  }
  const state = join(folder, 'apt');
  for (const file of download(state, suites, name, alone)) run('dpkg-deb', ['--extract', file, join(folder, 'root')]);
  rmSync(state, { recursive: true });
}

/** Downloads with a state of apt's that knows no installed package. */
function download(state, suites, name, alone) {
  const archives = join(state, 'archives');
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(state, folder), { recursive: true });
  const sources = suites.map((suite) => `deb [signed-by=${keys}] ${mirror} ${suite} main\n`);
  writeFileSync(join(state, 'sources.list'), sources.join(''));
  writeFileSync(join(state, 'status'), '');
  const settings = {
    'Dir::Etc::SourceList': join(state, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State': state,
    'Dir::State::Status': join(state, 'status'),
    'Dir::Cache': state,
    'Dir::Cache::Archives': archives,
    'APT::Sandbox::User': '', // it need not read the folders of this process' user
    'APT::Default-Release': suites.at(-1),
    'Debug::NoLocking': true,
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const steps = alone ? ['download'] : ['install', '--yes', '--download-only', '--no-install-recommends'];
  run('apt-get', ['--quiet=2', ...options, 'update', '--error-on=any']);
  run('apt-get', ['--quiet=2', ...options, ...steps, name], archives);
  return readdirSync(archives)
    .filter((file) => file.endsWith('.deb'))
    .map((file) => join(archives, file));
}

function run(program, args, cwd = undefined) {
  const { status, error, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (error) throw new Error(`${program} is needed: use a system with Debian's tools`);
  if (status !== 0) {
    const reason = stderr.split('\n').find((line) => line.startsWith('E:')) ?? stderr.trim();
    throw new Error(`${program} failed: ${reason} (is the archive within reach?)`);
  }
}
