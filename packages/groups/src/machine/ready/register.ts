import { machine } from '../define.ts';
import type { StateMachine } from '../machine.ts';

/** Sets the value of a register. */
export interface RegisterCommand<Value> {
  readonly set: Value;
}

/** A replicated register, `null` at first. A command gives the value before it, a query of `null` the value now. */
export function register<Value>(): StateMachine<RegisterCommand<Value>, Value | null, null, Value | null> {
  return machine({
    signature: 'mosaik.register/1',
    initial: (): { value: Value | null } => ({ value: null }),
    apply(state: { value: Value | null }, { set }: RegisterCommand<Value>) {
      const before = state.value;
      state.value = set;
      return before;
    },
    query: (state: { value: Value | null }, _query: null) => state.value,
  });
}
