/**
 * The package as its users get it, in an empty folder: packed from dist/ and installed by npm
 * without a network, or the same files copied, which is faster.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const project = fileURLToPath(new URL('../..', import.meta.url));
const execFileAsync = promisify(execFile);

export interface Scratch {
  /** The folder with `node_modules/rewt`. */
  readonly folder: string;
  remove(): Promise<void>;
}

export interface InstalledTarball extends Scratch {
  readonly tarball: string;
  /** The paths within the tarball. */
  readonly files: readonly string[];
  /** Bytes of the tarball. */
  readonly packedSize: number;
  /** Bytes of the files in it. */
  readonly installedSize: number;
}

const quiet = ['--offline', '--no-audit', '--no-fund', '--no-update-notifier', '--ignore-scripts'];

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Packs a project that is built, into a folder. */
export async function pack(source: string, folder: string): Promise<{ tarball: string; packed: Packed }> {
  const [packed] = JSON.parse(await npm(source, 'pack', '--json', '--pack-destination', folder, ...quiet)) as [Packed];
  return { tarball: join(folder, packed.filename), packed };
}

/** Packs and installs; `npm test` has built dist/ before. */
export async function installTarball(): Promise<InstalledTarball> {
  const { folder, remove } = await emptyFolder();
  const { tarball, packed } = await pack(project, folder);
  await writeFile(join(folder, 'package.json'), '{"private":true}\n');
  await npm(folder, 'install', tarball, ...quiet);
  return {
    folder,
    tarball,
    files: packed.files.map(({ path }) => path).sort(),
    packedSize: packed.size,
    installedSize: packed.unpackedSize,
    remove,
  };
}

/** Copies what the tarball has, to which package.test.ts holds it. */
export async function installPackage(): Promise<Scratch> {
  const scratch = await emptyFolder();
  const { files } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
  for (const name of [...files, 'package.json', 'README.md', 'LICENSE'])
    await cp(join(project, name), join(scratch.folder, 'node_modules/rewt', name), { recursive: true });
  return scratch;
}

async function emptyFolder(): Promise<Scratch> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'rewt-package-')));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Puts these packages beside rewt, as those have it who use it with a framework. */
export async function installBeside(scratch: Scratch, packages: readonly string[]): Promise<void> {
  for (const name of packages) {
    const place = join(scratch.folder, 'node_modules', name);
    await mkdir(join(place, '..'), { recursive: true });
    await symlink(join(project, 'node_modules', name), place);
  }
}

function npm(cwd: string, ...args: string[]): Promise<string> {
  return run(cwd, 'npm', args);
}

/**
 * What Node prints when it runs this. Fails where it ends with another code than 0, or not at all.
 */
export function node(cwd: string, ...args: string[]): Promise<string> {
  return run(cwd, process.execPath, args);
}

async function run(cwd: string, program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execFileAsync(program, args, { cwd, timeout: 80_000, maxBuffer: 2 ** 24 });
    return stdout.trim();
  } catch (error) {
    const { stdout, stderr, code, killed } = error as { stdout: string; stderr: string; code: number; killed: boolean };
    throw new Error(
      `${program} ${args.join(' ')} ${killed ? 'did not end' : `ended with ${code}`}:\n${stdout}${stderr}`,
    );
  }
}
