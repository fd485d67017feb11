import { type WaitOptions, waitFor } from './runtime/wait.ts';

/**
 * Something that is either so or not, and may change: awaitable, re-arming, invertible.
 *
 * `await condition` resolves as soon as it is met, at once when it is met already, and works again after it was unmet.
 * Iterating it yields `true` or `false`: first how it stands, then each change; a slow reader sees the newest state
 * and never the same one twice in a row.
 */
export interface Condition extends PromiseLike<void>, AsyncIterable<boolean> {
  /** Whether it holds now. */
  readonly isMet: boolean;
  /** What is waited for, in words, for logs and for `why()`. */
  readonly description: string;
  /** Resolves when the condition is met. */
  wait(options?: WaitOptions): Promise<void>;
  /** The opposite condition. */
  unmet(): Condition;
  /** Met while both are. */
  and(other: Condition): Condition;
  /** Met while at least one is. */
  or(other: Condition): Condition;
  /** How it stands now and each change from then on, until `signal` fires. */
  transitions(options?: WaitOptions): AsyncGenerator<boolean, void, void>;
  /** Calls `listener` at each change, synchronously; returns what ends the subscription. */
  subscribe(listener: (isMet: boolean) => void): () => void;
}

/** What a condition is made of. */
export interface ConditionSource {
  /** Whether it holds now; cheap and without side effects. */
  readonly check: () => boolean;
  /** Registers a listener for everything that may change the result of `check`. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly description: string;
}

/** Creates a condition from a check and a source of changes. */
export function createCondition(source: ConditionSource): Condition {
  return new ConditionNode(source);
}

class ConditionNode implements Condition {
  readonly #source: ConditionSource;

  constructor(source: ConditionSource) {
    this.#source = source;
  }

  get isMet(): boolean {
    return this.#source.check();
  }

  get description(): string {
    return this.#source.description;
  }

  // biome-ignore lint/suspicious/noThenProperty: a condition is awaitable by contract.
  then<A = void, B = never>(
    // biome-ignore lint/suspicious/noConfusingVoidType: so it stands in PromiseLike<void>.
    onMet?: ((value: void) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.wait().then(onMet, onFailed);
  }

  wait(options: WaitOptions = {}): Promise<void> {
    return waitFor<void>(this.description, options.signal, (resolve) => {
      if (this.isMet) {
        resolve();
        return () => {};
      }
      return this.#source.subscribe(() => {
        if (this.isMet) resolve();
      });
    });
  }

  unmet(): Condition {
    return new ConditionNode({
      check: () => !this.isMet,
      subscribe: this.#source.subscribe,
      description: `not (${this.description})`,
    });
  }

  and(other: Condition): Condition {
    return this.#combine(other, 'and', () => this.isMet && other.isMet);
  }

  or(other: Condition): Condition {
    return this.#combine(other, 'or', () => this.isMet || other.isMet);
  }

  #combine(other: Condition, word: string, check: () => boolean): Condition {
    const subscribe = (listener: () => void): (() => void) => {
      const ends = [this.#source.subscribe(listener), other.subscribe(listener)];
      return () => {
        for (const end of ends) end();
      };
    };
    return new ConditionNode({
      check,
      subscribe,
      description: `(${this.description} ${word} ${other.description})`,
    });
  }

  subscribe(listener: (isMet: boolean) => void): () => void {
    let last = this.isMet;
    return this.#source.subscribe(() => {
      const isMet = this.isMet;
      if (isMet === last) return;
      last = isMet;
      listener(isMet);
    });
  }

  async *transitions(options: WaitOptions = {}): AsyncGenerator<boolean, void, void> {
    let wake: (() => void) | undefined;
    const unsubscribe = this.#source.subscribe(() => wake?.());
    try {
      let last: boolean | undefined;
      while (true) {
        const isMet = this.isMet;
        if (isMet !== last) {
          last = isMet;
          yield isMet;
          continue;
        }
        await waitFor<void>(this.description, options.signal, (resolve) => {
          wake = resolve;
          return () => {
            wake = undefined;
          };
        });
      }
    } finally {
      unsubscribe();
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<boolean, void, void> {
    return this.transitions();
  }
}
