import type { Operation } from './history.ts';

/** Stands for "no event". */
export const NONE = -1;

/**
 * The calls and returns of one key in the order of time, as a doubly linked list from which operations are lifted as they
 * are placed and put back when a placement is undone (Lowe 2017, section 3.1; Knuth's dancing links).
 *
 * An operation is a number: first the answered ones in the order of their calls, then the others. Its call is the event
 * with that number; the return of an answered one is `returnOf(number)`; others have none.
 */
export class Timeline<Input, Output> {
  readonly operations: readonly Operation<Input, Output>[];
  /** How many are answered: those with smaller numbers. */
  readonly answered: number;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #head: number;

  constructor(history: readonly Operation<Input, Output>[]) {
    const answered = history.filter(({ outcome }) => outcome.type === 'ok');
    const open = history.filter(({ outcome }) => outcome.type === 'unknown');
    this.operations = [...answered.toSorted(byCall), ...open.toSorted(byCall)];
    this.answered = answered.length;
    this.#head = this.operations.length + this.answered;
    this.#next = new Int32Array(this.#head + 1).fill(NONE);
    this.#previous = new Int32Array(this.#head + 1).fill(NONE);
    let last = this.#head;
    for (const event of this.#eventsInOrder()) {
      this.#next[last] = event;
      this.#previous[event] = last;
      last = event;
    }
  }

  /** The first event of what is left. */
  first(): number {
    return this.next(this.#head);
  }

  next(event: number): number {
    return this.#next[event] ?? NONE;
  }

  isReturn(event: number): boolean {
    return event >= this.operations.length;
  }

  /** The operation that an event belongs to. */
  numberOf(event: number): number {
    return this.isReturn(event) ? event - this.operations.length : event;
  }

  isAnswered(number: number): boolean {
    return number < this.answered;
  }

  operation(number: number): Operation<Input, Output> {
    return this.operations[number] as Operation<Input, Output>;
  }

  /** When an answered operation was answered; never, for the others. */
  returnedAt(number: number): number {
    const { outcome } = this.operation(number);
    return outcome.type === 'ok' ? outcome.returnedAt : Number.POSITIVE_INFINITY;
  }

  lift(number: number): void {
    this.#unlink(number);
    if (this.isAnswered(number)) this.#unlink(this.#returnOf(number));
  }

  /** Undoes the last `lift` that is not undone yet. */
  putBack(number: number): void {
    if (this.isAnswered(number)) this.#relink(this.#returnOf(number));
    this.#relink(number);
  }

  #returnOf(number: number): number {
    return this.operations.length + number;
  }

  #unlink(event: number): void {
    const previous = this.#previous[event] ?? NONE;
    const next = this.next(event);
    this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
  }

  #relink(event: number): void {
    const next = this.next(event);
    this.#next[this.#previous[event] ?? NONE] = event;
    if (next !== NONE) this.#previous[next] = event;
  }

  /** At the same time calls come before returns: what might overlap, overlaps. */
  #eventsInOrder(): number[] {
    const events = Array.from({ length: this.#head }, (_, event) => event);
    const times = events.map((event) => this.#timeOf(event));
    return events.sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
  }

  #timeOf(event: number): number {
    const number = this.numberOf(event);
    return this.isReturn(event) ? this.returnedAt(number) : this.operation(number).calledAt;
  }
}

function byCall(a: Operation<unknown, unknown>, b: Operation<unknown, unknown>): number {
  return a.calledAt - b.calledAt;
}
