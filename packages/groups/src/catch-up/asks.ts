import { type Runtime, TimeoutError, type Timer } from '@mosaik/primitives';

interface Waiting<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: () => void;
  readonly timer: Timer;
}

/** Questions to other members that are under way, each with a number of its own. */
export class Asks<T> {
  readonly #runtime: Runtime;
  readonly #waiting = new Map<number, Waiting<T>>();
  #lastId = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws {TimeoutError} when no answer comes in time, or the question could not be sent. */
  ask(
    { what, timeoutMs }: { readonly what: string; readonly timeoutMs: number },
    send: (id: number) => boolean,
  ): Promise<T> {
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      const timer = this.#runtime.setTimer(timeoutMs, () => this.#give(id));
      this.#waiting.set(id, { resolve, reject: () => reject(new TimeoutError(what, timeoutMs)), timer });
      if (!send(id)) this.#give(id);
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
    for (const id of [...this.#waiting.keys()]) this.#give(id);
  }

  #give(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    waiting.reject();
  }
}
