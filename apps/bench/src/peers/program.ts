import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian puts servers, which is not on everybody's path. */
const FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin'];
/** How long a server may take to end by itself before it is killed. */
const PATIENCE_MS = 5_000;
/** How much of a server's output is kept to tell why it ended. */
const OUTPUT_KEPT_MAX = 4_000;

/** A program of the machine. */
export interface Program {
  readonly path: string;
  readonly version: string;
}

/** Looks a program up on the PATH and where servers are; undefined when the machine has none. */
export function findProgram(name: string, versionPattern: RegExp): Program | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...FOLDERS];
  const path = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (path === undefined) return undefined;
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return { path, version: versionPattern.exec(stdout)?.[1] ?? 'of unknown version' };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A server that was started; it is stopped by its process id when it is disposed of, and when we end. */
export interface Server extends AsyncDisposable {
  readonly pid: number;
  /** Fires when it has ended, wanted or not. */
  readonly ended: Promise<unknown>;
  /** The last that it printed. */
  output(): string;
  /** As `kill -9`: it does not get to say goodbye. */
  kill(): Promise<void>;
}

/** Starts a server. Whether it works is for the caller to find out, by {@link untilReady}. */
export function startServer({ path }: Program, args: readonly string[]): Server {
  const child = spawn(path, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit').catch(() => {});
  const output = keepOutput(child);
  const atExit = (): void => void child.kill('SIGKILL');
  process.on('exit', atExit);
  void ended.then(() => process.off('exit', atExit));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await ended;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? 0,
    ended,
    output,
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  };
}

function keepOutput(child: ChildProcess): () => string {
  let kept = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      kept = (kept + chunk.toString()).slice(-OUTPUT_KEPT_MAX);
    });
  }
  return () => kept;
}

/**
 * Asks again and again until something is there.
 *
 * @throws {Error} with the server's last words when it ends before, or when it takes too long.
 */
export async function untilReady<T>(
  server: Server,
  what: string,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + 20_000;
  let hasEnded = false;
  void server.ended.then(() => {
    hasEnded = true;
  });
  while (Date.now() < deadline && !hasEnded) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} ${hasEnded ? 'ended' : 'did not get ready'}:\n${server.output()}`);
}
