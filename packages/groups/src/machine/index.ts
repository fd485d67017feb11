/** State machines: what a group replicates, how it is defined, and the ones that come with the package. */
export { SESSION_LIMITS, type SessionLimits } from './applier/session-table.ts';
export { type MachineDefinition, machine } from './define.ts';
export * from './errors.ts';
export type * from './machine.ts';
export { Counter, type CounterCommand } from './ready/counter.ts';
export {
  keyValue,
  type MapAnswer,
  type MapCommand,
  type MapEntry,
  type MapQuery,
  type MapResult,
} from './ready/map.ts';
export { NoOp } from './ready/no-op.ts';
export { type RegisterCommand, register } from './ready/register.ts';
