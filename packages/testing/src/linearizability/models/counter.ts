import { deterministic, type Model } from '../model.ts';

/** What one asks of a counter. */
export type CounterInput = { readonly type: 'add'; readonly by: number } | { readonly type: 'get' };

/** A number that starts at 0; both operations answer its value, `add` the new one. */
export function counterModel(): Model<number, CounterInput, number> {
  return deterministic<number, CounterInput, number>({
    init: () => 0,
    apply(state, input) {
      const after = input.type === 'add' ? state + input.by : state;
      return { state: after, output: after };
    },
  });
}
