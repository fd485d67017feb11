import { isEqual } from './equal.ts';
import type { Model } from './model.ts';

/**
 * The configurations (which operations are done, and the state they left) that a search has been in. Coming to one again by
 * another order leads nowhere new: Lowe 2017, section 3.2.
 */
export class Seen<State> {
  readonly #statesBySet = new Map<string, State[]>();
  readonly #equal: (a: State, b: State) => boolean;
  readonly #hash: (state: State) => string;

  constructor({ equal, hash }: Pick<Model<State, never, never>, 'equal' | 'hash'>) {
    this.#equal = equal ?? isEqual;
    this.#hash = hash === undefined ? hashOfPrimitive : (state) => String(hash(state));
  }

  /** Adds a configuration; false if it was there. */
  add(set: string, state: State): boolean {
    const key = `${this.#hash(state)} ${set}`;
    const states = this.#statesBySet.get(key);
    if (states === undefined) {
      this.#statesBySet.set(key, [state]);
      return true;
    }
    if (states.some((known) => this.#equal(known, state))) return false;
    states.push(state);
    return true;
  }
}

/** Enough for registers and counters; the states of others are compared one by one. */
function hashOfPrimitive(state: unknown): string {
  return typeof state === 'number' || typeof state === 'string' ? String(state) : '';
}
