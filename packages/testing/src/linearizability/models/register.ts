import { isEqual } from '../equal.ts';
import { deterministic, type Model } from '../model.ts';

/** What one asks of a register: `cas` writes `to` if the value is `from`. */
export type RegisterInput<T> =
  | { readonly type: 'read' }
  | { readonly type: 'write'; readonly value: T }
  | { readonly type: 'cas'; readonly from: T; readonly to: T };

/** A read answers the value, a `cas` whether it wrote, a write nothing. */
export type RegisterOutput<T> = T | boolean | undefined;

/** One value that is read, written, and compared and set. */
export function registerModel<T>(initial: T): Model<T, RegisterInput<T>, RegisterOutput<T>> {
  return deterministic<T, RegisterInput<T>, RegisterOutput<T>>({
    init: () => initial,
    apply(state, input) {
      switch (input.type) {
        case 'read':
          return { state, output: state };
        case 'write':
          return { state: input.value, output: undefined };
        case 'cas': {
          const hasWritten = isEqual(state, input.from);
          return { state: hasWritten ? input.to : state, output: hasWritten };
        }
      }
    },
  });
}
