import type { ReadResult } from '../raft/raft.ts';

interface Waiter {
  readonly ready: () => void;
}

interface Asked {
  readonly waiters: readonly Waiter[];
  readonly askedAtMs: number;
}

interface ReadsOptions {
  readonly ask: (context: number) => ReadResult;
  readonly now: () => number;
  /** An answer that takes longer is taken for lost. */
  readonly patienceMs: number;
}

/**
 * Strong reads: all that begin in one turn share one question to the leader. A read is only answered by a question that
 * was asked after it began.
 */
export class Reads {
  readonly #options: ReadsOptions;
  readonly #asked = new Map<number, Asked>();
  #waiting: Waiter[] = [];
  #lastContext = 0;

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  get length(): number {
    let count = this.#waiting.length;
    for (const { waiters } of this.#asked.values()) count += waiters.length;
    return count;
  }

  /** Calls `ready`, once, when the state that the machine has then answers a read that began now. */
  begin(ready: () => void): { cancel(): void } {
    const waiter = { ready };
    this.#waiting.push(waiter);
    return {
      cancel: () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        for (const [context, { waiters, askedAtMs }] of this.#asked)
          if (waiters.includes(waiter))
            this.#asked.set(context, { waiters: waiters.filter((other) => other !== waiter), askedAtMs });
      },
    };
  }

  /** Asks for those that wait. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const context = ++this.#lastContext;
    if (!this.#options.ask(context).ok) return;
    this.#asked.set(context, { waiters: this.#waiting, askedAtMs: this.#options.now() });
    this.#waiting = [];
  }

  confirmed(contexts: readonly number[]): void {
    for (const context of contexts) {
      const asked = this.#asked.get(context);
      this.#asked.delete(context);
      for (const { ready } of asked?.waiters ?? []) ready();
    }
  }

  /** To be asked again. */
  refused(contexts: readonly number[]): void {
    for (const context of contexts) this.#takeBack(context);
  }

  tick(): void {
    const { now, patienceMs } = this.#options;
    const lateMs = now() - patienceMs;
    for (const [context, { askedAtMs }] of this.#asked) if (askedAtMs < lateMs) this.#takeBack(context);
    this.flush();
  }

  #takeBack(context: number): void {
    const asked = this.#asked.get(context);
    if (asked === undefined) return;
    this.#asked.delete(context);
    this.#waiting = [...asked.waiters, ...this.#waiting];
  }
}
