/**
 * `@mosaik/groups`: availability groups. Members that share a key find each other through the catalog, bond, elect a leader,
 * and replicate the log of a state machine: what was acknowledged is never lost, applied exactly once, and served by
 * whoever is left.
 */
export { GroupKey, groupKey } from './bonds/key.ts';
export type { BondOptions } from './bonds/options.ts';
export { GroupCode } from './codes.ts';
export {
  CommandAbortedError,
  CommandInvalidError,
  type CommandOutcome,
  CommandsError,
  CommandsFailedError,
  CommandTooLargeError,
  GroupClosedError,
  GroupFailedError,
  GroupOverloadedError,
  LeadershipError,
} from './errors.ts';
export type {
  BondView,
  Consistency,
  Executed,
  Group,
  GroupConditions,
  GroupReason,
  GroupStats,
  IndexRange,
  LogView,
  MemberRole,
  Queried,
  Reverted,
  RevertedCommand,
} from './group.ts';
export { createGroups, type Groups } from './groups.ts';
export * from './machine/index.ts';
export type { ConsensusOptions, GroupsOptions, JoinOptions } from './options.ts';
export * from './storage/index.ts';
export type { TicketRules } from './tickets.ts';
