import { isEqual } from '../equal.ts';
import { deterministic, type Model } from '../model.ts';

/** What one asks of a map; `undefined` stands for a key that is not there, also in `cas`. */
export type KvInput<T> =
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'put'; readonly key: string; readonly value: T }
  | { readonly type: 'delete'; readonly key: string }
  | { readonly type: 'cas'; readonly key: string; readonly from: T | undefined; readonly to: T | undefined };

/** A get answers the value; delete whether there was one; `cas` whether it wrote; put nothing. */
export type KvOutput<T> = T | boolean | undefined;

/** A map from keys to values, each key by itself: no operation concerns two. */
export function kvMapModel<T>(): Model<T | undefined, KvInput<T>, KvOutput<T>> {
  return deterministic<T | undefined, KvInput<T>, KvOutput<T>>({
    init: () => undefined,
    key: ({ key }) => key,
    apply(state, input) {
      switch (input.type) {
        case 'get':
          return { state, output: state };
        case 'put':
          return { state: input.value, output: undefined };
        case 'delete':
          return { state: undefined, output: state !== undefined };
        case 'cas': {
          const hasWritten = isEqual(state, input.from);
          return { state: hasWritten ? input.to : state, output: hasWritten };
        }
      }
    },
  });
}
