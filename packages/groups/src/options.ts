import type { Discovery, PeerInfo } from '@mosaik/discovery';
import { InvalidArgumentError } from '@mosaik/primitives';
import type { Transport } from '@mosaik/transport';
import type { GroupKey } from './bonds/key.ts';
import type { BondOptions } from './bonds/options.ts';
import type { ApplierRules } from './machine/applier/rules.ts';
import { isDevelopment } from './machine/development.ts';
import type { StateMachine } from './machine/machine.ts';
import type { QuiescenceRules } from './member/quiescence.ts';
import type { Raft, StoredState } from './raft/raft.ts';
import type { Rules } from './raft/rules.ts';
import type { Storage } from './storage/storage.ts';
import type { TicketRules } from './tickets.ts';

/** How the groups of a node are set up. */
export interface GroupsOptions {
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly bonds?: BondOptions | undefined;
  /**
   * The time that the cores of all groups count in, in ms. One timer serves them all, so that the heartbeats of all groups
   * between two nodes leave together. Default 50. Members may differ in it, but not by much.
   */
  readonly tickMs?: number | undefined;
}

/** What a core began with. */
export interface CoreBeginning {
  readonly history: string;
  readonly stored: StoredState;
}

/** What tests replace to prove that they would notice; no part of the public contract. */
export interface GroupsTestOptions {
  readonly rules?: {
    readonly raft?: Partial<Rules>;
    readonly applier?: Partial<ApplierRules>;
    readonly quiescence?: Partial<QuiescenceRules>;
  };
  /** Sees all that goes into a core, and comes out of it. */
  readonly watchCore?: ((raft: Raft, began: CoreBeginning) => Raft) | undefined;
}

/**
 * How a group comes to decisions. All but `founders` only tunes: members may differ in it, and it may change by a rolling
 * restart.
 */
export interface ConsensusOptions {
  /**
   * Members that found the group: the first leader needs a majority of so many. Default 1: a node that finds nobody founds
   * it alone, after `bootstrapDelayMs`.
   *
   * It does not tune: it is part of the group's id, so members that differ in it are in different groups, and a group has the
   * one it was founded with for ever. Those that join later say the same.
   */
  readonly founders?: number | undefined;
  /** How long a new member looks for others before it founds the group, in ms. Default 750. */
  readonly bootstrapDelayMs?: number | undefined;
  /** Members that vote, at most; the others listen. Default 5. An odd number. */
  readonly maxVoters?: number | undefined;
  /** A leader shows that it lives so often, in ms; what is committed is told at once. Default 200. */
  readonly heartbeatMs?: number | undefined;
  /**
   * A member that hears of no leader for this long, and up to twice as long, stands for election, in ms. Shorter fails over
   * sooner and takes slow networks and disks for failures. Default 600; at least three heartbeats.
   */
  readonly electionTimeoutMs?: number | undefined;
  /** A voter that was silent for longer is demoted, in ms. Default three election timeouts. */
  readonly demoteAfterMs?: number | undefined;
  /**
   * A voter that lacks more entries than this is demoted, also one that answers. Default 100000: more than come in while a disk
   * stalls or a snapshot is pulled, as the others can lose one fewer until it has caught up and votes again. At least 2.
   */
  readonly demoteBehindEntries?: number | undefined;
  /** A member that was away for longer is forgotten, in ms. Default 60000. */
  readonly forgetAfterMs?: number | undefined;
  /** A snapshot is taken each time so many entries have been applied. Default 10000. */
  readonly snapshotEvery?: number | undefined;
  /** So many entries are kept below a snapshot, for members that lag a little. Default 10000. */
  readonly retainEntries?: number | undefined;
  /**
   * So many more are kept while others pull from this member: all after the snapshot, or the entry, that was asked for in the
   * last 30 seconds. Default 100000. More than comes in while a member pulls the whole state, or it would never catch up.
   */
  readonly retainPulledEntries?: number | undefined;
  /** Bytes of applied entries that a leader keeps in memory; members that are further behind pull from all. Default 16 MiB. */
  readonly retainBytes?: number | undefined;
  /**
   * A member that leaves waits this long to be taken out of the group, in ms. Default 5000: longer than `demoteAfterMs`, as
   * it is only let go when the others can do without it.
   */
  readonly leaveTimeoutMs?: number | undefined;
  /**
   * Members compare hashes of their state at the indices of the log that are multiples of this; 0 for never. Those with other
   * intervals meet at common multiples. Default 256 where `NODE_ENV` is `development` or `test` when the package is loaded, else 0: a
   * machine without a `hash` writes its whole state for each.
   */
  readonly compareStateEvery?: number | undefined;
  /**
   * Clocks, chance and I/O throw inside `apply`, with what to use instead. Default true where `NODE_ENV` is `development` or `test`
   * when the package is loaded, else false: it costs some microseconds for each run of commands.
   */
  readonly guardDeterminism?: boolean | undefined;
  /** Commands that wait or are under way in this member, and as many strong queries; beyond, they are refused. Default 100000. */
  readonly maxPendingCommands?: number | undefined;
  /** Bytes of one command, at most. Default 1 MiB. */
  readonly maxCommandBytes?: number | undefined;
}

/** How a node joins a group. */
export interface JoinOptions<Command, Result, Query, Answer> {
  /** The secret that members share. */
  readonly key: GroupKey | string | Uint8Array;
  /** For people. */
  readonly name?: string | undefined;
  readonly machine: StateMachine<Command, Result, Query, Answer>;
  /** Default `memory()`. */
  readonly storage?: Storage | undefined;
  readonly consensus?: ConsensusOptions | undefined;
  /** Whom this node takes for a member, of those that have the key; asked again when what is known of a peer changes. */
  readonly acceptIf?: ((peer: PeerInfo) => boolean) | undefined;
  /**
   * Which tickets a peer must carry to be a member, besides the key and what `acceptIf` says; part of the group's id. A text only names
   * rules, for the id: `acceptIf` has to check them. Members check each other, nobody itself: carry a ticket by
   * `discovery.addTicket`.
   */
  readonly ticketRules?: TicketRules | string | undefined;
  /** Leaves the group when it fires. */
  readonly signal?: AbortSignal | undefined;
}

export type ConsensusSettings = {
  readonly [Name in keyof ConsensusOptions]-?: NonNullable<ConsensusOptions[Name]>;
} & { readonly tickMs: number };

export const DEFAULT_TICK_MS = 50;
/** Of development and tests: some milliseconds in a second of load, for a state of some hundred kilobytes. */
const COMPARE_EVERY = 256;

/** @throws {InvalidArgumentError} when an option is out of range. */
export function consensusSettings(
  options: ConsensusOptions = {},
  tickMs: number = DEFAULT_TICK_MS,
): ConsensusSettings {
  const electionTimeoutMs = options.electionTimeoutMs ?? 600;
  const settings: ConsensusSettings = {
    tickMs,
    founders: options.founders ?? 1,
    bootstrapDelayMs: options.bootstrapDelayMs ?? 750,
    maxVoters: options.maxVoters ?? 5,
    heartbeatMs: options.heartbeatMs ?? 200,
    electionTimeoutMs,
    demoteAfterMs: options.demoteAfterMs ?? 3 * electionTimeoutMs,
    demoteBehindEntries: options.demoteBehindEntries ?? 100_000,
    forgetAfterMs: options.forgetAfterMs ?? 60_000,
    ...retention(options),
    leaveTimeoutMs: options.leaveTimeoutMs ?? 5_000,
    compareStateEvery: options.compareStateEvery ?? (isDevelopment ? COMPARE_EVERY : 0),
    guardDeterminism: options.guardDeterminism ?? isDevelopment,
    maxPendingCommands: options.maxPendingCommands ?? 100_000,
    maxCommandBytes: options.maxCommandBytes ?? 1024 * 1024,
  };
  checkSettings(settings);
  return settings;
}

/** What is kept of the log. */
function retention({
  snapshotEvery = 10_000,
  retainEntries = 10_000,
  retainPulledEntries = 100_000,
  retainBytes = 16 * 1024 * 1024,
}: ConsensusOptions) {
  return { snapshotEvery, retainEntries, retainPulledEntries, retainBytes };
}

/** Counts that may be 0, for none. */
function countsOf(settings: ConsensusSettings): Readonly<Record<string, number>> {
  const { retainEntries, retainPulledEntries, compareStateEvery } = settings;
  return { retainEntries, retainPulledEntries, compareStateEvery };
}

function checkSettings(settings: ConsensusSettings): void {
  const { founders, maxVoters, heartbeatMs, electionTimeoutMs, demoteBehindEntries } = settings;
  const counts = countsOf(settings);
  for (const [name, value] of Object.entries(settings)) {
    if (name === 'guardDeterminism' || name in counts) continue;
    if (!((value as number) > 0)) throw new InvalidArgumentError(name, `a number above 0, not ${value}`);
  }
  for (const [name, value] of Object.entries({ founders, maxVoters, demoteBehindEntries, ...counts })) {
    if (!(Number.isSafeInteger(value) && value >= 0))
      throw new InvalidArgumentError(name, `a whole number, not ${value}`);
  }
  if (maxVoters % 2 === 0) throw new InvalidArgumentError('maxVoters', 'an odd number');
  if (demoteBehindEntries < 2) throw new InvalidArgumentError('demoteBehindEntries', 'at least 2');
  if (electionTimeoutMs < 3 * heartbeatMs)
    throw new InvalidArgumentError('electionTimeoutMs', 'at least three times heartbeatMs');
}

/** A time in ticks, at least one. */
export function ticksOf(settings: ConsensusSettings, durationMs: number): number {
  return Math.max(1, Math.round(durationMs / settings.tickMs));
}
