import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A process of the benchmark's own. It ends when its channel to us does, so that none survives a crash of ours. */
export interface Child extends AsyncDisposable {
  /** What it reported when it was ready. */
  readonly ready: string;
}

/** Starts a module as a process of its own; it says it is ready by `process.send(text)`. */
export async function startChild(module: URL, args: readonly string[] = []): Promise<Child> {
  const child: ChildProcess = fork(module, [...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const first = await Promise.race([once(child, 'message'), exited]);
  if (typeof first[0] !== 'string')
    throw new Error(`${module.pathname} ended with code ${String(first[0])} before it was ready`);
  return {
    ready: first[0],
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** To be called in the child: reports that it is ready, and ends with the parent. */
export function reportReady(text: string): void {
  process.on('disconnect', () => process.exit(0));
  process.send?.(text);
}
