interface Waiter {
  readonly ready: () => void;
  /** It was answered, or given up. */
  isOver: boolean;
}

interface Asked {
  readonly waiters: readonly Waiter[];
  readonly askedAtMs: number;
}

interface ReadsOptions {
  /** False when there is nobody to ask now. */
  readonly ask: (context: number) => boolean;
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
  #count = 0;

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#count;
  }

  /** Calls `ready`, once, when the state that the machine has then answers a read that began now. */
  begin(ready: () => void): { cancel(): void } {
    const waiter: Waiter = { ready, isOver: false };
    this.#waiting.push(waiter);
    this.#count++;
    return { cancel: () => this.#end(waiter) };
  }

  /** Asks for those that wait. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(({ isOver }) => !isOver);
    if (this.#waiting.length === 0) return;
    const context = ++this.#lastContext;
    if (!this.#options.ask(context)) return;
    this.#asked.set(context, { waiters: this.#waiting, askedAtMs: this.#options.now() });
    this.#waiting = [];
  }

  confirmed(contexts: readonly number[]): void {
    for (const context of contexts) {
      const asked = this.#asked.get(context);
      this.#asked.delete(context);
      for (const waiter of asked?.waiters ?? []) if (this.#end(waiter)) waiter.ready();
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

  /** False when it is over already. */
  #end(waiter: Waiter): boolean {
    if (waiter.isOver) return false;
    waiter.isOver = true;
    this.#count--;
    return true;
  }

  #takeBack(context: number): void {
    const asked = this.#asked.get(context);
    if (asked === undefined) return;
    this.#asked.delete(context);
    this.#waiting = [...asked.waiters, ...this.#waiting];
  }
}
