/** State machines: what a group replicates, how it is defined, and how committed entries are applied to it. */
export * from './applier.ts';
export * from './commands.ts';
export * from './define.ts';
export * from './errors.ts';
export * from './machine.ts';
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
