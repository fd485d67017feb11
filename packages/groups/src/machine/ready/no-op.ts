import { machine } from '../define.ts';
import type { StateMachine } from '../machine.ts';

/** A machine that does nothing: for groups that only want a leader. Takes `null`. */
export const NoOp: StateMachine<null, null, null, null> = machine({
  signature: 'mosaik.no-op/1',
  initial: () => ({}),
  apply: (_state: object, _command: null) => null,
  query: (_state: object, _query: null) => null,
});
