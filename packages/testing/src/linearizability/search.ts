import { invariant } from '@mosaik/primitives';
import { Configuration, numbersOf, type Placed } from './configuration.ts';
import { isEqual } from './equal.ts';
import type { Operation } from './history.ts';
import { type Model, type Step, unanswered } from './model.ts';
import { NONE, Timeline } from './timeline.ts';
import type { Violation } from './verdict.ts';

/** What a search of one key came to. */
export type Found<State, Input, Output> =
  | { readonly type: 'order'; readonly order: readonly Operation<Input, Output>[] }
  | { readonly type: 'none'; readonly why: DeadEnd<State, Input, Output> }
  | { readonly type: 'givenUp' };

type DeadEnd<State, Input, Output> = Pick<
  Violation<State, Input, Output>,
  'culprit' | 'prefix' | 'state' | 'concurrent'
>;

/** The latest return that the search came to and did not get past, and how it came there. */
interface Furthest<State> {
  readonly culprit: number;
  readonly returnedAt: number;
  readonly last: Placed<State> | undefined;
  readonly state: State;
}

/**
 * Looks for a linearization: Wing and Gong, "Testing and verifying concurrent objects" (1993), with the memory of
 * configurations of Lowe, "Testing for linearizability" (2017). Places operations one by one among those that are called
 * before the first return of what is left, and goes back when it comes to that return. It loops and does not recur, as a
 * history may be long.
 *
 * It ends when all answered operations are placed: the others need not have happened. Two rules keep those from multiplying
 * the work: one that would leave the state as it is is not placed, and of those with equal inputs the one called first
 * goes first, as it can stand wherever a later one could.
 */
export class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #timeline: Timeline<Input, Output>;
  readonly #configuration: Configuration<State>;
  readonly #equal: (a: State, b: State) => boolean;
  /** For each unanswered operation, in their order: the number of the one with an equal input called last before it. */
  readonly #twins: readonly number[];
  #furthest: Furthest<State> | undefined;
  #steps = 0;

  constructor(model: Model<State, Input, Output>, history: readonly Operation<Input, Output>[]) {
    this.#model = model;
    this.#equal = model.equal ?? isEqual;
    this.#timeline = new Timeline(history);
    this.#configuration = new Configuration(model, this.#timeline);
    this.#twins = twinsOf(this.#timeline);
  }

  /** Steps of the model taken, and states compared, so far. */
  get steps(): number {
    return this.#steps + this.#configuration.comparisons;
  }

  /** Searches until it knows, or until it has taken `maxSteps` steps. */
  run(maxSteps: number): Found<State, Input, Output> {
    let event = this.#timeline.first();
    while (!this.#configuration.isComplete) {
      invariant(event !== NONE, 'what is left of a history ends with a return');
      if (!this.#timeline.isReturn(event)) {
        if (this.steps >= maxSteps) return { type: 'givenUp' };
        event = this.#tryPlace(event) ? this.#timeline.first() : this.#timeline.next(event);
        continue;
      }
      this.#cameTo(event);
      const undone = this.#configuration.undo();
      if (undone === undefined) return { type: 'none', why: this.#deadEnd() };
      this.#timeline.putBack(undone);
      event = this.#timeline.next(undone);
    }
    return { type: 'order', order: this.#orderOf(this.#configuration.last) };
  }

  /** Lets an operation happen now, if it can and if that leads to somewhere new. The number of a call is its operation's. */
  #tryPlace(number: number): boolean {
    const isOpen = !this.#timeline.isAnswered(number);
    if (isOpen && this.#hasTwinLeft(number)) return false;
    const { state } = this.#configuration;
    const step = this.#step(state, this.#timeline.operation(number));
    if (!step.ok || (isOpen && this.#equal(step.state, state))) return false;
    if (!this.#configuration.tryPlace(number, step.state)) return false;
    this.#timeline.lift(number);
    return true;
  }

  #step(state: State, { input, outcome }: Operation<Input, Output>): Step<State> {
    this.#steps++;
    return this.#model.step(state, input, outcome.type === 'ok' ? outcome.output : unanswered);
  }

  #hasTwinLeft(number: number): boolean {
    const twin = this.#twins[number - this.#timeline.answered] ?? NONE;
    return twin !== NONE && !this.#configuration.has(twin);
  }

  #cameTo(returnEvent: number): void {
    const culprit = this.#timeline.numberOf(returnEvent);
    const returnedAt = this.#timeline.returnedAt(culprit);
    if (this.#furthest !== undefined && this.#furthest.returnedAt >= returnedAt) return;
    const { last, state } = this.#configuration;
    this.#furthest = { culprit, returnedAt, last, state };
  }

  #deadEnd(): DeadEnd<State, Input, Output> {
    invariant(this.#furthest, 'a search fails at a return');
    const { culprit, returnedAt, last, state } = this.#furthest;
    const accounted = new Set([culprit, ...numbersOf(last)]);
    const concurrent = this.#timeline.operations.filter(
      ({ calledAt }, number) => calledAt <= returnedAt && !accounted.has(number),
    );
    return { culprit: this.#timeline.operation(culprit), prefix: this.#orderOf(last), state, concurrent };
  }

  #orderOf(last: Placed<State> | undefined): Operation<Input, Output>[] {
    return numbersOf(last).map((number) => this.#timeline.operation(number));
  }
}

function twinsOf({ operations, answered }: Timeline<unknown, unknown>): number[] {
  const open = operations.slice(answered);
  return open.map(({ input }, index) => {
    const twin = open.slice(0, index).findLastIndex((earlier) => isEqual(earlier.input, input));
    return twin === -1 ? NONE : answered + twin;
  });
}
