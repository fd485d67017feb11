import { deterministic, type Model } from '../model.ts';

/** What one asks of a list. */
export type AppendListInput<T> = { readonly type: 'append'; readonly value: T } | { readonly type: 'read' };

/** A read answers the whole list, an append nothing. */
export type AppendListOutput<T> = readonly T[] | undefined;

/**
 * A list that only grows and is read as a whole. One read shows the order of all appends before it, so it tells lost,
 * repeated and reordered operations from each other, and is cheap to check (Kingsbury and Alvaro, "Elle", 2020).
 */
export function appendListModel<T>(): Model<readonly T[], AppendListInput<T>, AppendListOutput<T>> {
  return deterministic<readonly T[], AppendListInput<T>, AppendListOutput<T>>({
    init: () => [],
    apply(state, input) {
      if (input.type === 'read') return { state, output: state };
      return { state: [...state, input.value], output: undefined };
    },
  });
}
