import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { until } from './wait.ts';

const MAIN = fileURLToPath(new URL('../../../../apps/cli/src/main.ts', import.meta.url));

/** A process of the command line. */
export interface CliProcess {
  readonly stdin: NonNullable<ChildProcess['stdin']>;
  readonly stdout: Readable;
  readonly stderr: string;
  /** Resolves with the exit code, once all output has been read. */
  readonly code: Promise<number | null>;
  signal(signal: 'SIGINT' | 'SIGKILL'): void;
  untilStderr(text: string): Promise<void>;
}

/** Commands as processes of their own, in a network of their own; they end with the test. */
export class CliNetwork implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'mosaik-cli-'));
  readonly #env: NodeJS.ProcessEnv;
  readonly #children: ChildProcess[] = [];

  constructor(name: string) {
    this.#env = {
      ...process.env,
      MOSAIK_NETWORK: `cli ${name}`,
      MOSAIK_LISTEN: '127.0.0.1:0',
      MOSAIK_TIMEOUT: '30',
    };
  }

  /** Starts the node that the others find each other through. */
  async bootstrap(): Promise<CliProcess> {
    const node = this.start('bootstrap', '--json');
    const [line] = (await once(node.stdout, 'data')) as [Buffer];
    const { addresses } = JSON.parse(line.toString()) as { addresses: string[] };
    this.#env['MOSAIK_BOOTSTRAP'] = addresses[0];
    return node;
  }

  start(...argv: readonly string[]): CliProcess {
    const child = spawn(process.execPath, [MAIN, ...argv], {
      cwd: this.folder,
      env: this.#env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // It may end before it has read everything.
    child.stdin.on('error', () => {});
    return {
      stdin: child.stdin,
      stdout: child.stdout,
      get stderr() {
        return stderr;
      },
      code: once(child, 'close').then(([code]) => code as number | null),
      signal: (signal) => void child.kill(signal),
      untilStderr: (text) => until(`it says "${text}"`, 20_000, () => stderr.includes(text)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const alive = this.#children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    const gone = alive.map((child) => once(child, 'exit'));
    for (const child of alive) child.kill('SIGKILL');
    await Promise.all(gone);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** All that a process prints. */
export async function textOf({ stdout }: CliProcess): Promise<string> {
  let text = '';
  for await (const chunk of stdout.setEncoding('utf8')) text += chunk as string;
  return text;
}
