import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url));

/** The example of a package: the first `ts` block of its README, and what it prints, if a `text` block follows. */
export interface Example {
  readonly package: string;
  readonly folder: string;
  readonly code: string;
  readonly prints: string | undefined;
}

const FIRST_EXAMPLE = /^```ts\n(?<code>.*?)^```$(?:\s*(?:[^`\n]*\n)*?\s*```text\n(?<prints>.*?)^```$)?/ms;

/** The examples of all packages whose README has one, and of the whole. */
export function examples(): readonly Example[] {
  const ofPackages = readdirSync(PACKAGES)
    .sort()
    .flatMap((name) => exampleIn(join(PACKAGES, name, 'README.md'), name, join(PACKAGES, name)) ?? []);
  const ofTheWhole = exampleIn(join(PACKAGES, '..', 'README.md'), 'the whole', join(PACKAGES, 'mosaik'));
  return ofTheWhole === undefined ? ofPackages : [...ofPackages, ofTheWhole];
}

function exampleIn(readme: string, name: string, folder: string): Example | undefined {
  if (!existsSync(readme)) return undefined;
  const { code, prints } = FIRST_EXAMPLE.exec(readFileSync(readme, 'utf8'))?.groups ?? {};
  return code === undefined ? undefined : { package: name, folder, code, prints };
}

/** What became of an example that was run. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an example as a program in the folder of its package, as a user would in theirs; it is ended at the deadline. */
export async function runExample(example: Example, deadlineMs: number): Promise<Outcome> {
  const args = ['--input-type=module-typescript', '--eval', example.code];
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: example.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  });
  const { stdout: out, stderr: err } = child;
  if (out === null || err === null) throw new Error('the program has no output');
  const [stdout, stderr, [code]] = await Promise.all([text(out), text(err), once(child, 'exit')]);
  return { code: code as number | null, stdout, stderr };
}
