import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of a test. It ends with the test, and with this process whatever happens to the test. */
export interface Child extends AsyncDisposable {
  /** Asks the program for something it offers, and waits for the answer. */
  call<T>(name: string, argument?: unknown): Promise<T>;
  /** Sends a signal; after SIGKILL, `exited` resolves. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  readonly exited: Promise<void>;
  readonly hasEnded: boolean;
}

/** What goes from here to the program. */
export interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** What comes back. */
export interface Response {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Starts a module of `test/programs` as a process; `argument` reaches it as JSON. A launcher is a command that runs it. */
export async function startChild(
  program: string,
  argument: unknown,
  launcher: readonly string[] = [],
): Promise<Child> {
  const module = fileURLToPath(new URL(`../programs/${program}.ts`, import.meta.url));
  const line = [...launcher, process.execPath, '--expose-gc', module, JSON.stringify(argument)];
  const child = spawn(line[0] as string, line.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = once(child, 'exit').then(() => {});
  const calls = new Calls(child);
  try {
    await Promise.race([
      calls.ready,
      exited.then(() => Promise.reject(new Error(`${program} did not start`))),
    ]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    exited,
    get hasEnded() {
      return calls.hasEnded;
    },
    call: (name, value) => calls.call(name, value),
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      // Not by asking: it may be stopped, or busy.
      child.kill('SIGKILL');
      await exited;
    },
  };
}

class Calls {
  readonly ready: Promise<void>;
  hasEnded = false;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (response: Response) => void>();
  #nextId = 1;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.ready = new Promise((resolve) => this.#waiting.set(0, () => resolve()));
    child.on('message', (response: Response) => {
      this.#waiting.get(response.id)?.(response);
      this.#waiting.delete(response.id);
    });
    child.on('exit', () => {
      this.hasEnded = true;
      for (const [id, answer] of this.#waiting) answer({ id, error: 'the process has ended' });
    });
  }

  call<T>(name: string, argument: unknown): Promise<T> {
    const request: Request = { id: this.#nextId++, name, argument };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, ({ value, error }) => {
        if (error === undefined) resolve(value as T);
        else reject(new Error(`${name}: ${error}`));
      });
      this.#child.send(request, (error) => {
        if (error === null) return;
        // The process has ended, though nobody has been told of it yet.
        this.hasEnded = true;
        this.#waiting.get(request.id)?.({ id: request.id, error: error.message });
        this.#waiting.delete(request.id);
      });
    });
  }
}
