import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { Network } from 'mosaik';
import { type ExitCode, run, type World } from '../../src/index.ts';

/** A command that runs in this process. */
export interface Running {
  readonly code: Promise<ExitCode>;
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when a stream holds a text; fails with what was said when the command ends first. */
  until(stream: 'stdout' | 'stderr', text: string): Promise<void>;
  interrupt(): void;
}

/** A folder of its own, and commands that run in it as a user would type them. */
export class Terminal implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'mosaik-cli-'));
  env: Record<string, string> = {};

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  start(argv: readonly string[], stdin: Readable = Readable.from([])): Running {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const interruption = new AbortController();
    const said = { stdout: '', stderr: '' };
    for (const [name, stream] of Object.entries({ stdout, stderr }))
      stream.setEncoding('utf8').on('data', (text: string) => {
        said[name as keyof typeof said] += text;
      });
    const world: World = {
      stdin,
      stdout,
      stderr,
      env: this.env,
      folder: this.folder,
      interrupted: interruption.signal,
      createNetwork: Network.create,
    };
    const code = run(argv, world);
    return {
      code,
      get stdout() {
        return said.stdout;
      },
      get stderr() {
        return said.stderr;
      },
      until: (name, text) =>
        untilSaid({ stdout, stderr }[name], () => said[name].includes(text), { code, said, text }),
      interrupt: () => interruption.abort(new Error('interrupted')),
    };
  }

  /** Runs a command to its end. */
  async run(
    argv: readonly string[],
    stdin?: Readable,
  ): Promise<{ code: ExitCode; stdout: string; stderr: string }> {
    const running = this.start(argv, stdin);
    const code = await running.code;
    return { code, stdout: running.stdout, stderr: running.stderr };
  }
}

interface Waited {
  readonly code: Promise<ExitCode>;
  readonly said: { readonly stdout: string; readonly stderr: string };
  readonly text: string;
}

function untilSaid(stream: PassThrough, isSaid: () => boolean, { code, said, text }: Waited): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!isSaid()) return;
      stream.off('data', look);
      resolve();
    };
    stream.on('data', look);
    look();
    void code.then((ended) => {
      if (isSaid()) resolve();
      else reject(new Error(`it ended with ${ended} before it said "${text}": ${said.stdout}${said.stderr}`));
    });
  });
}
