import { AbortedError, ClosedError, toError } from './errors.ts';
import type { Runtime, Timer } from './runtime/runtime.ts';

/** Told of an error in a task or timer; `where` is the path of names down to what failed. */
export type ErrorHandler = (error: Error, where: string) => void;

/** Work that a scope owns: it should end soon after `signal` fires. */
export type Task = (signal: AbortSignal) => Promise<void>;

/**
 * A node of the cancellation tree (network → subsystem → connection): owns tasks, timers and child scopes.
 *
 * Closing it closes its children first and awaits them, then cancels its own timers and tasks and awaits those, then
 * releases in reverse order. Nothing it owns outlives it, and no error of it is lost: each reaches the nearest
 * `onError` up the tree.
 */
export interface Scope extends AsyncDisposable {
  /** Names from the root down to this scope, joined by `/`. */
  readonly path: string;
  readonly runtime: Runtime;
  /** Fires when this scope closes, after its children have. */
  readonly signal: AbortSignal;
  /** True from the first call of {@link Scope.close} on. */
  readonly isClosing: boolean;
  /** Names of what is still running here, for looking inside when a close takes long. */
  readonly running: readonly string[];
  /**
   * Opens a scope below this one.
   *
   * @throws {ClosedError} when this scope is closing.
   */
  child(name: string, options?: { readonly onError?: ErrorHandler }): Scope;
  /**
   * Starts a task that this scope owns.
   *
   * @throws {ClosedError} when this scope is closing.
   */
  spawn(name: string, task: Task): void;
  /** A timer that this scope owns: it never fires once the scope is closing. */
  after(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` again and again; `periodMs` may be a function, asked anew for each period (for jitter). */
  every(periodMs: number | (() => number), callback: () => void): Timer;
  /** Registers a release, run last and in reverse order when the scope closes. */
  onClose(release: () => void | Promise<void>): void;
  /**
   * Closes this scope and everything below; idempotent. Resolves when all of it has ended; never rejects.
   * A task must not await the close of its own scope: that would wait for itself.
   */
  close(reason?: string): Promise<void>;
}

/** Opens the root of a scope tree; `onError` hears of every error that no scope below handles. */
export function createScope(options: {
  readonly runtime: Runtime;
  readonly name: string;
  readonly onError: ErrorHandler;
}): Scope {
  return new ScopeNode(options.runtime, options.name, options.onError, undefined);
}

/** Errors that a task ends with because it was told to end. */
function isCancellation(error: Error): boolean {
  return error instanceof AbortedError || error instanceof ClosedError || error.name === 'AbortError';
}

class ScopeNode implements Scope {
  readonly path: string;
  readonly runtime: Runtime;
  readonly #onError: ErrorHandler;
  readonly #parent: ScopeNode | undefined;
  readonly #abort = new AbortController();
  readonly #children = new Set<ScopeNode>();
  readonly #tasks = new Map<Promise<void>, string>();
  readonly #timers = new Set<Timer>();
  readonly #releases: (() => void | Promise<void>)[] = [];
  #closing: Promise<void> | undefined;

  constructor(runtime: Runtime, path: string, onError: ErrorHandler, parent: ScopeNode | undefined) {
    this.runtime = runtime;
    this.path = path;
    this.#onError = onError;
    this.#parent = parent;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  get running(): readonly string[] {
    const own = [...this.#tasks.values()].map((name) => `${this.path}/${name}`);
    return own.concat(...[...this.#children].map((child) => child.running));
  }

  child(name: string, options: { readonly onError?: ErrorHandler } = {}): Scope {
    this.#requireOpen(`scope ${name}`);
    const child = new ScopeNode(this.runtime, `${this.path}/${name}`, options.onError ?? this.#onError, this);
    this.#children.add(child);
    return child;
  }

  spawn(name: string, task: Task): void {
    this.#requireOpen(`task ${name}`);
    const running = this.#run(name, task).finally(() => this.#tasks.delete(running));
    this.#tasks.set(running, name);
  }

  async #run(name: string, task: Task): Promise<void> {
    try {
      await task(this.signal);
    } catch (thrown) {
      const error = toError(thrown);
      if (!(this.isClosing && isCancellation(error))) this.#onError(error, `${this.path}/${name}`);
    }
  }

  after(delayMs: number, callback: () => void): Timer {
    if (this.isClosing) return { cancel: () => {} };
    const timer = this.runtime.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      this.#guard('timer', callback);
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  every(periodMs: number | (() => number), callback: () => void): Timer {
    const nextMs = typeof periodMs === 'function' ? periodMs : () => periodMs;
    let cancelled = false;
    let timer: Timer;
    const arm = (): void => {
      timer = this.after(nextMs(), () => {
        this.#guard('timer', callback);
        if (!cancelled) arm();
      });
    };
    arm();
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  onClose(release: () => void | Promise<void>): void {
    this.#requireOpen('a release');
    this.#releases.push(release);
  }

  close(reason = 'closed'): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(reason: string): Promise<void> {
    // One turn later, so that `isClosing` is true before anything that is closed here can look.
    await Promise.resolve();
    await Promise.all([...this.#children].map((child) => child.close(reason)));
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#abort.abort(new ClosedError(`${this.path}: ${reason}`));
    await Promise.all(this.#tasks.keys());
    await this.#release();
    if (this.#parent) this.#parent.#children.delete(this);
  }

  async #release(): Promise<void> {
    for (const release of this.#releases.reverse()) {
      try {
        await release();
      } catch (thrown) {
        this.#onError(toError(thrown), `${this.path}/release`);
      }
    }
    this.#releases.length = 0;
  }

  #guard(name: string, callback: () => void): void {
    if (this.isClosing) return;
    try {
      callback();
    } catch (thrown) {
      this.#onError(toError(thrown), `${this.path}/${name}`);
    }
  }

  #requireOpen(what: string): void {
    if (this.isClosing) throw new ClosedError(`${this.path} is closed: ${what} cannot start`);
  }
}
