import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildPackages } from '../../published/build.ts';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const PACKAGES = join(ROOT, 'packages');

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly exports?: unknown };
}

/** A folder in which our packages are as they are published, and a program that uses them as a user's would. */
export interface Published extends AsyncDisposable {
  readonly program: URL;
}

/** Builds our packages and installs them into a folder of their own, as a package manager would, with a copy of a program. */
export async function publish(program: URL): Promise<Published> {
  await buildPackages();
  const folder = await mkdtemp(join(tmpdir(), 'mosaik-bench-node-'));
  for (const entry of await readdir(PACKAGES)) await install(join(PACKAGES, entry), folder);
  const copy = join(folder, 'program.mjs');
  await cp(fileURLToPath(program), copy);
  return {
    program: pathToFileURL(copy),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function install(from: string, folder: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as Manifest;
  if (manifest.private === true) return;
  const to = join(folder, 'node_modules', manifest.name);
  await cp(join(from, 'dist'), join(to, 'dist'), { recursive: true });
  const exports = manifest.publishConfig?.exports;
  await writeFile(join(to, 'package.json'), JSON.stringify({ ...manifest, exports }));
  for (const [name, version] of Object.entries(manifest.dependencies ?? {}))
    if (!version.startsWith('workspace:')) await link(join(from, 'node_modules', name), name, folder);
}

/** What others wrote is where it is already. */
async function link(from: string, name: string, folder: string): Promise<void> {
  const to = join(folder, 'node_modules', name);
  await mkdir(dirname(to), { recursive: true });
  await symlink(await realpath(from), to).catch((error: NodeJS.ErrnoException) => {
    // Two packages need the same.
    if (error.code !== 'EEXIST') throw error;
  });
}
