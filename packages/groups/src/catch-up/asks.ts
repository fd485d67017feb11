import { type Runtime, TimeoutError, type Timer } from '@mosaik/primitives';

/** Questions whose answers may still come late, at most; the oldest are forgotten. */
const LATE_MAX = 64;

interface Waiting<T> {
  readonly resolve: (answer: T) => void;
  readonly giveUp: () => void;
  readonly timer: Timer;
}

export interface Ask<T> {
  readonly what: string;
  readonly timeoutMs: number;
  /** Given the answer when it comes after all, though nobody waits for it any more, and how long it took. */
  readonly late?: ((answer: T, afterMs: number) => void) | undefined;
}

/** Questions to other members that are under way, each with a number of its own. */
export class Asks<T> {
  readonly #runtime: Runtime;
  readonly #waiting = new Map<number, Waiting<T>>();
  readonly #late = new Map<number, (answer: T) => void>();
  #lastId = 0;
  #isOver = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws {TimeoutError} when no answer comes in time, the question could not be sent, or nobody waits any more. */
  ask({ what, timeoutMs, late }: Ask<T>, send: (id: number) => boolean): Promise<T> {
    const id = ++this.#lastId;
    const askedAtMs = this.#runtime.now();
    return new Promise<T>((resolve, reject) => {
      const giveUp = (): void => reject(new TimeoutError(what, timeoutMs));
      const timer = this.#runtime.setTimer(timeoutMs, () => {
        if (late !== undefined) this.#expect(id, (answer) => late(answer, this.#runtime.now() - askedAtMs));
        this.#give(id);
      });
      this.#waiting.set(id, { resolve, giveUp, timer });
      if (this.#isOver || !send(id)) this.#give(id);
    });
  }

  answered(id: number, answer: T): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.timer.cancel();
    waiting?.resolve(answer);
    const late = this.#late.get(id);
    this.#late.delete(id);
    late?.(answer);
  }

  /** Nobody waits any more, and nothing is asked any more. */
  cancel(): void {
    this.#isOver = true;
    this.#late.clear();
    for (const id of [...this.#waiting.keys()]) this.#give(id);
  }

  #expect(id: number, late: (answer: T) => void): void {
    this.#late.set(id, late);
    const [oldest] = this.#late.keys();
    if (this.#late.size > LATE_MAX && oldest !== undefined) this.#late.delete(oldest);
  }

  #give(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    waiting.giveUp();
  }
}
