import { type Runtime, TimeoutError, type Timer } from '@mosaik/primitives';

interface Waiting<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

/** Questions to other members that are under way, each with a number of its own. */
export class Asks<T> {
  readonly #runtime: Runtime;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting<T>>();
  #lastId = 0;

  constructor(runtime: Runtime, timeoutMs: number) {
    this.#runtime = runtime;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws {TimeoutError} when no answer comes in time, or the question could not be sent. */
  ask(what: string, send: (id: number) => boolean): Promise<T> {
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      const timer = this.#runtime.setTimer(this.#timeoutMs, () => this.#give(id, what));
      this.#waiting.set(id, { resolve, reject, timer });
      if (!send(id)) this.#give(id, what);
    });
  }

  answered(id: number, answer: T): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    waiting.resolve(answer);
  }

  /** Nobody waits any more. */
  cancel(): void {
    for (const id of [...this.#waiting.keys()]) this.#give(id, 'cancelled');
  }

  #give(id: number, what: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    waiting.reject(new TimeoutError(what, this.#timeoutMs));
  }
}
