// Checks a package as it would be published: packs it (which applies publishConfig), then lets publint look at the
// tarball. Run in the package's folder.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { runProgram } from '../check/run-program.ts';

process.exitCode = await main(process.cwd());

async function main(folder: string): Promise<number> {
  const temporary = mkdtempSync(join(tmpdir(), 'mosaik-pack-'));
  try {
    const tarball = await pack(folder, temporary);
    if (tarball === undefined) return 1;
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    const problems = [
      ...messages.map((message) => formatMessage(message, pkg) ?? message.code),
      ...leftovers(pkg),
    ];
    for (const problem of problems) console.error(`${pkg['name']}: ${problem}`);
    return problems.length > 0 ? 1 : 0;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function pack(folder: string, destination: string): Promise<ArrayBuffer | undefined> {
  const args = ['pack', '--pack-destination', destination];
  const { code, output } = await runProgram('pnpm', args, { cwd: folder });
  const [file] = readdirSync(destination);
  if (code === 0 && file !== undefined) return new Uint8Array(readFileSync(join(destination, file))).buffer;
  console.error(`pnpm pack failed:\n${output}`);
  return undefined;
}

/** Versions that only this workspace understands must not reach a registry. */
function leftovers(manifest: Record<string, unknown>): string[] {
  return ['dependencies', 'peerDependencies', 'optionalDependencies'].flatMap((field) => {
    const versions = Object.entries((manifest[field] ?? {}) as Record<string, string>);
    return versions
      .filter(([, version]) => /^(workspace|catalog|link|file):/.test(version))
      .map(([name, version]) => `${field}.${name} is "${version}" after packing`);
  });
}
