import { machine } from '../define.ts';
import { CommandRejectedError } from '../errors.ts';
import type { StateMachine } from '../machine.ts';

/** Adds to the counter; rejected as `not-a-number` and `out-of-range` beyond whole numbers that are exact. */
export interface CounterCommand {
  readonly add: number;
}

/** A replicated counter, from 0. A command gives the value after it, a query of `null` the value now. */
export const Counter: StateMachine<CounterCommand, number, null, number> = machine({
  signature: 'mosaik.counter/1',
  initial: () => ({ value: 0 }),
  apply(state: { value: number }, { add }: CounterCommand) {
    if (!Number.isSafeInteger(add))
      throw new CommandRejectedError('not-a-number', 'add takes a whole number');
    if (!Number.isSafeInteger(state.value + add)) throw new CommandRejectedError('out-of-range');
    state.value += add;
    return state.value;
  },
  query: (state: { value: number }, _query: null) => state.value,
});
