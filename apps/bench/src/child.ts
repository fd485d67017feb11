import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A process of the benchmark's own. It ends when its channel to us does, so that none survives a crash of ours. */
export interface Child extends AsyncDisposable {
  /** What it reported when it was ready. */
  readonly ready: string;
  /** Has it do something, one thing at a time, and resolves to what came of it. */
  request(what: string, ...numbers: readonly number[]): Promise<unknown>;
  /** What its threads have computed since it started, in seconds. */
  cpuSeconds(): Promise<number>;
  /** `SIGSTOP`, for one, has it stand still until `SIGCONT`. */
  signal(signal: NodeJS.Signals): void;
  /** As `kill -9`. */
  kill(): Promise<void>;
}

/** Processes of the benchmark take our packages as they are published. */
const PUBLISHED = new URL('./published/hooks.ts', import.meta.url).href;

/** What a child can be asked to do, by name. */
export type Requests = Readonly<Record<string, (...numbers: number[]) => Promise<unknown>>>;

interface Reply {
  readonly result?: unknown;
  readonly error?: string;
}

/** What every child can be asked. */
const CPU_SECONDS = 'cpuSeconds';
const common: Requests = {
  async [CPU_SECONDS]() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000_000;
  },
};

/** Starts a module as a process of its own; it says it is ready by {@link reportReady}. */
export async function startChild(module: URL, args: readonly string[] = []): Promise<Child> {
  const child: ChildProcess = fork(module, [...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
    execArgv: [...process.execArgv, '--import', PUBLISHED],
  });
  const exited = once(child, 'exit');
  const first = await Promise.race([once(child, 'message'), exited]);
  if (typeof first[0] !== 'string')
    throw new Error(`${module.pathname} ended with code ${String(first[0])} before it was ready`);
  const request: Child['request'] = async (what, ...numbers) => {
    child.send({ what, numbers });
    const [reply] = (await Promise.race([once(child, 'message'), exited])) as [Reply | number | null];
    if (typeof reply !== 'object' || reply === null)
      throw new Error(`${module.pathname} ended with code ${String(reply)} while it was to ${what}`);
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply.result;
  };
  return {
    ready: first[0],
    request,
    cpuSeconds: () => request(CPU_SECONDS) as Promise<number>,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** To be called in the child: reports that it is ready, answers requests, and ends with the parent. */
export function reportReady(text: string, requests: Requests = {}): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ what, numbers }: { what: string; numbers: number[] }) => {
    const answer = (reply: Reply): unknown => process.connected && process.send?.(reply);
    const work =
      (requests[what] ?? common[what])?.(...numbers) ?? Promise.reject(new Error(`no child does "${what}"`));
    work.then(
      (result) => answer({ result }),
      (error: Error) => answer({ error: error.stack ?? error.message }),
    );
  });
  // The parent may be gone before we were ready.
  process.send?.(text, undefined, undefined, (error) => {
    if (error !== null) process.exit(0);
  });
}
