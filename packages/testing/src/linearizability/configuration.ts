import { LinearizedSet } from './linearized-set.ts';
import type { Model } from './model.ts';
import { Seen } from './seen.ts';
import type { Timeline } from './timeline.ts';

/** An operation placed, after all those placed before it. Linked, so that a whole order is kept by keeping its end. */
export interface Placed<State> {
  readonly number: number;
  /** The state after it. */
  readonly state: State;
  readonly before: Placed<State> | undefined;
}

/** Where a search is: the operations placed so far, in order, and the state that they left. */
export class Configuration<State> {
  readonly #initial: State;
  readonly #answered: LinearizedSet;
  /** Apart from the others, so that one of them placed long after its call does not make the set's key long. */
  readonly #open: LinearizedSet;
  readonly #firstOpen: number;
  readonly #seen: Seen<State>;
  #last: Placed<State> | undefined;
  #answeredLeft: number;

  constructor(model: Model<State, never, never>, timeline: Timeline<unknown, unknown>) {
    this.#initial = model.init();
    this.#firstOpen = timeline.answered;
    this.#answeredLeft = timeline.answered;
    this.#answered = new LinearizedSet(timeline.answered);
    this.#open = new LinearizedSet(timeline.operations.length - timeline.answered);
    this.#seen = new Seen(model);
  }

  get state(): State {
    return this.#last === undefined ? this.#initial : this.#last.state;
  }

  /** The last operation placed, and by it all of them. */
  get last(): Placed<State> | undefined {
    return this.#last;
  }

  get isComplete(): boolean {
    return this.#answeredLeft === 0;
  }

  /** How many states were compared so far, to find out where the search has been. */
  get comparisons(): number {
    return this.#seen.comparisons;
  }

  has(number: number): boolean {
    return this.#setOf(number).has(this.#indexOf(number));
  }

  /** Places an operation, unless that leads to where the search has been. */
  tryPlace(number: number, state: State): boolean {
    this.#setOf(number).add(this.#indexOf(number));
    if (!this.#seen.add(this.#answered.key() + this.#open.key(), state)) {
      this.#setOf(number).delete(this.#indexOf(number));
      return false;
    }
    this.#last = { number, state, before: this.#last };
    if (number < this.#firstOpen) this.#answeredLeft--;
    return true;
  }

  /** Takes the last operation back; undefined if there is none. */
  undo(): number | undefined {
    if (this.#last === undefined) return undefined;
    const { number, before } = this.#last;
    this.#last = before;
    this.#setOf(number).delete(this.#indexOf(number));
    if (number < this.#firstOpen) this.#answeredLeft++;
    return number;
  }

  #setOf(number: number): LinearizedSet {
    return number < this.#firstOpen ? this.#answered : this.#open;
  }

  #indexOf(number: number): number {
    return number < this.#firstOpen ? number : number - this.#firstOpen;
  }
}

/** The numbers of an order, from the first on. */
export function numbersOf(last: Placed<unknown> | undefined): number[] {
  const numbers: number[] = [];
  for (let placed = last; placed !== undefined; placed = placed.before) numbers.push(placed.number);
  return numbers.reverse();
}
