import { ClosedError } from './errors.ts';
import { type WaitOptions, waitFor } from './runtime/wait.ts';
import type { WatchSource } from './watch.ts';

/**
 * Something that is either so or not, and may change: awaitable, re-arming, invertible.
 *
 * `await condition` resolves as soon as it is met, at once when it is met already, and works again after it was unmet. It
 * rejects when what it is about has ended, such as a consumer that was closed: then it is not going to be met.
 * Iterating it yields `true` or `false`: first how it stands, then each change; a slow reader sees the newest state
 * and never the same one twice in a row.
 */
export interface Condition extends PromiseLike<void>, AsyncIterable<boolean> {
  /** Whether it holds now. */
  readonly isMet: boolean;
  /** What is waited for, in words, for logs and for `why()`. */
  readonly description: string;
  /** Why it changes no more; undefined while it may. */
  readonly ended: Error | undefined;
  /**
   * Resolves when the condition is met.
   *
   * @throws {ClosedError} when what it is about ends first.
   * @throws {AbortedError} when `signal` fires first.
   */
  wait(options?: WaitOptions): Promise<void>;
  /** The opposite condition. */
  unmet(): Condition;
  /** Met while both are. */
  and(other: Condition): Condition;
  /** Met while at least one is. */
  or(other: Condition): Condition;
  /** How it stands now and each change from then on, until what it is about ends, or `signal` fires. */
  transitions(options?: WaitOptions): AsyncGenerator<boolean, void, void>;
  /** Calls `listener` at each change, synchronously; returns what ends the subscription. */
  subscribe(listener: (isMet: boolean) => void): () => void;
}

/** What a condition is made of. */
export interface ConditionSource {
  /** Whether it holds now; cheap and without side effects. */
  readonly check: () => boolean;
  /** Registers a listener for everything that may change the result of `check`, or of `ended`. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Why it changes no more, once it does not. Without, it may for ever. */
  readonly ended?: (() => Error | undefined) | undefined;
  readonly description: string;
}

/** Creates a condition from a check and a source of changes. */
export function createCondition(source: ConditionSource): Condition {
  return new ConditionNode(source);
}

/** What a condition on a watch is made of. */
export interface WatchConditionSource extends Pick<ConditionSource, 'check' | 'description'> {
  readonly watch: WatchSource<unknown>;
  /** What its end means, for people: "the consumer is closed". */
  readonly closed: string;
}

/** Creates a condition that changes with a watch, and ends with it. */
export function watchCondition({ watch, check, description, closed }: WatchConditionSource): Condition {
  return createCondition({
    check,
    description,
    subscribe: (listener) => {
      const ends = [watch.subscribe(listener), watch.onClosed(listener)];
      return () => {
        for (const end of ends) end();
      };
    },
    ended: () => (watch.isClosed ? new ClosedError(closed) : undefined),
  });
}

interface Combination extends Pick<ConditionSource, 'check' | 'ended'> {
  readonly word: string;
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

  get ended(): Error | undefined {
    return this.#source.ended?.();
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
    return waitFor<void>(this.description, options.signal, (resolve, reject) => {
      const look = (): boolean => {
        const isMet = this.isMet;
        const ended = isMet ? undefined : this.ended;
        if (isMet) resolve();
        else if (ended !== undefined) reject(ended);
        return isMet || ended !== undefined;
      };
      return look() ? () => {} : this.#source.subscribe(look);
    });
  }

  unmet(): Condition {
    return new ConditionNode({
      check: () => !this.isMet,
      subscribe: this.#source.subscribe,
      ended: () => this.ended,
      description: `not (${this.description})`,
    });
  }

  and(other: Condition): Condition {
    const ended = (): Error | undefined => {
      const [first, second] = [this.ended, other.ended];
      if (first !== undefined && (second !== undefined || !this.isMet)) return first;
      return other.isMet ? undefined : second;
    };
    return this.#combine(other, { word: 'and', check: () => this.isMet && other.isMet, ended });
  }

  or(other: Condition): Condition {
    const ended = (): Error | undefined => {
      const [first, second] = [this.ended, other.ended];
      if (first !== undefined && (second !== undefined || this.isMet)) return first;
      return other.isMet ? second : undefined;
    };
    return this.#combine(other, { word: 'or', check: () => this.isMet || other.isMet, ended });
  }

  #combine(other: Condition, { word, check, ended }: Combination): Condition {
    const subscribe = (listener: () => void): (() => void) => {
      const ends = [this.#source.subscribe(listener), other.subscribe(listener)];
      return () => {
        for (const end of ends) end();
      };
    };
    return new ConditionNode({
      check,
      subscribe,
      ended,
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
        if (this.ended !== undefined) return;
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
