import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const PACKAGES = join(ROOT, 'packages');

const execute = promisify(execFile);

/** Runs a program of Node's; fails with what it printed. */
export async function runNode(cwd: string, args: readonly string[]): Promise<string> {
  return await run(cwd, process.execPath, args);
}

async function run(cwd: string, command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { cwd, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (thrown) {
    const { message, stdout = '' } = thrown as Error & { readonly stdout?: string };
    throw new Error(`${message}\n${stdout}`, { cause: thrown });
  }
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
}

/** Builds all packages and packs those that are published, into a folder; their files by the names of the packages. */
export async function packAll(folder: string): Promise<ReadonlyMap<string, string>> {
  const task = join(ROOT, 'tools/run.mjs');
  await runNode(ROOT, [task, 'build']);
  const packed = new Map<string, string>();
  for (const entry of await readdir(PACKAGES)) {
    const text = await readFile(join(PACKAGES, entry, 'package.json'), 'utf8');
    const { name, version, private: isPrivate } = JSON.parse(text) as Manifest;
    if (isPrivate === true) continue;
    // By the package manager of the workspace, which replaces what only a workspace understands.
    await runNode(ROOT, [task, 'pnpm', '--filter', name, 'pack', '--pack-destination', folder]);
    packed.set(name, join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`));
  }
  return packed;
}

/** Makes an empty project and installs packages into it, as a user would. */
export async function install(
  folder: string,
  packed: ReadonlyMap<string, string>,
  others: Readonly<Record<string, string>>,
): Promise<void> {
  const files = Object.fromEntries(Array.from(packed, ([name, file]) => [name, `file:${file}`]));
  const manifest = {
    name: 'a-project',
    private: true,
    type: 'module',
    dependencies: { ...files, ...others },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await run(folder, 'npm', ['install', ...options]);
}

/** The version of a package that the workspace uses. */
export async function versionOf(name: string): Promise<string> {
  const text = await readFile(join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as Manifest).version;
}

/** Checks the types of a project, and those of all that it uses, by the compiler of the workspace. */
export async function checkTypes(folder: string): Promise<void> {
  const compilerOptions = {
    target: 'ESNext',
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  await runNode(folder, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder]);
}
