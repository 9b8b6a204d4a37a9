/** The package as its users get it: packed from dist/, and installed without a network into an empty folder. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const project = fileURLToPath(new URL('../..', import.meta.url));
const execFileAsync = promisify(execFile);

export interface Scratch {
  /** The folder with `node_modules/rewt`. */
  readonly folder: string;
  readonly tarball: string;
  /** The paths within the tarball. */
  readonly files: readonly string[];
  /** Bytes of the tarball. */
  readonly packedSize: number;
  /** Bytes of the files in it. */
  readonly installedSize: number;
  remove(): Promise<void>;
}

/** Packs and installs; `npm test` has built dist/ before. */
export async function installPackage(): Promise<Scratch> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'rewt-package-')));
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-update-notifier', '--ignore-scripts'];
  const packing = await npm(project, 'pack', '--json', '--pack-destination', folder, ...quiet);
  const [packed] = JSON.parse(packing) as [
    { filename: string; size: number; unpackedSize: number; files: { path: string }[] },
  ];
  const tarball = join(folder, packed.filename);
  await writeFile(join(folder, 'package.json'), '{"private":true}\n');
  await npm(folder, 'install', tarball, ...quiet);
  return {
    folder,
    tarball,
    files: packed.files.map(({ path }) => path).sort(),
    packedSize: packed.size,
    installedSize: packed.unpackedSize,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
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

/** What Node prints when it runs this. Fails where it ends with another code than 0, or not at all. */
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
