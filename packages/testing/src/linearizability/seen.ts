import { isEqual } from './equal.ts';
import { hashOf } from './hash.ts';
import type { Model } from './model.ts';

/**
 * The configurations (which operations are done, and the state they left) that a search has been in. Coming to one again by
 * another order leads nowhere new: Lowe 2017, section 3.2.
 */
export class Seen<State> {
  readonly #statesByKey = new Map<string, State[]>();
  readonly #equal: (a: State, b: State) => boolean;
  readonly #hash: (state: State) => string | number;
  #comparisons = 0;

  constructor({ equal = isEqual, hash = hashOf }: Pick<Model<State, never, never>, 'equal' | 'hash'>) {
    this.#equal = equal;
    this.#hash = hash;
  }

  /** How many states were compared so far: work that a poor hash makes unbounded for each step. */
  get comparisons(): number {
    return this.#comparisons;
  }

  /** Adds a configuration; false if it was there. */
  add(set: string, state: State): boolean {
    const key = `${this.#hash(state)} ${set}`;
    const states = this.#statesByKey.get(key);
    if (states === undefined) {
      this.#statesByKey.set(key, [state]);
      return true;
    }
    for (const known of states) {
      this.#comparisons++;
      if (this.#equal(known, state)) return false;
    }
    states.push(state);
    return true;
  }
}
