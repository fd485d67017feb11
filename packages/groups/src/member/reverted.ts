import { createLog, toError } from '@mosaik/primitives';
import { type CommandRun, decodeEntry } from '../machine/commands.ts';
import type { StateMachine } from '../machine/machine.ts';
import type { Entry, LogIndex } from '../raft/types.ts';
import { LogPrunedError, StorageDamagedError } from '../storage/errors.ts';
import type { LogStorage } from '../storage/storage.ts';
import type { History } from '../wire/history.ts';

const log = createLog('groups:reverted');

/** A command of a history that lost against another. */
export interface RevertedCommand<Command> {
  readonly index: LogIndex;
  readonly command: Command;
  /** It had been committed in the history that lost: whoever sent it may have been told so. */
  readonly wasCommitted: boolean;
  /**
   * This member has sent it, since it joined, and its call is over. Those of others are theirs to bring to the group again, and
   * are in their reports; some may be on their way already.
   */
  readonly isOwn: boolean;
}

/**
 * This member was of a history that met an older one, and lost. It is a new member of the other by now; nothing of what is
 * in here is in the group's state.
 */
export interface Reverted<Command = unknown> {
  readonly lost: History;
  readonly kept: History;
  /**
   * What was still in the log, in order, each command once. Without those of this member whose calls still wait: they are sent
   * again, and the calls resolve with what they give in the history that was kept.
   */
  readonly commands: readonly RevertedCommand<Command>[];
  /** Commands up to this index are only in the log that was put aside: in its snapshot, or damaged. 0 when none are. */
  readonly upTo: LogIndex;
  /** Where the log was put. */
  readonly where: string | undefined;
}

/** A command as the log has it. */
interface LoggedCommand {
  readonly index: LogIndex;
  readonly command: unknown;
  readonly wasCommitted: boolean;
  readonly session: number;
  readonly sequence: number;
}

/** What was read of a log that is about to be put aside. */
export interface LoggedCommands {
  readonly commands: readonly LoggedCommand[];
  readonly upTo: LogIndex;
}

/** A history that was put aside, before it is known which of its commands are sent again. */
export interface LostHistory extends Omit<Reverted, 'commands'>, LoggedCommands {}

/** The commands of this member, while those of the lost history are known. */
interface OwnCommands {
  isOwn(session: number): boolean;
  /** It is sent again. */
  isUnderWay(session: number, sequence: number): boolean;
}

/** What a member tells of a history that lost. */
export function reportOf({ commands, ...history }: LostHistory, own: OwnCommands): Reverted {
  return {
    ...history,
    commands: commands
      .filter(({ session, sequence }) => !own.isUnderWay(session, sequence))
      .map(({ session, sequence: _, ...command }) => ({ ...command, isOwn: own.isOwn(session) })),
  };
}

/** The last entry to read, and up to where they were committed. */
interface ReadOptions {
  readonly to: LogIndex;
  readonly commit: LogIndex;
}

const READ_BYTES = 4 * 1024 * 1024;

/**
 * Reads the commands of a log that is about to be put aside, as far as they are in it. A snapshot that was on its way to the
 * disk may replace them even now; where one of them is damaged, none is told.
 */
export async function readCommands(
  stored: LogStorage,
  machine: StateMachine<unknown, unknown, unknown, unknown>,
  options: ReadOptions,
): Promise<LoggedCommands> {
  for (let upTo = 0 as LogIndex; ; ) {
    try {
      return { commands: await readAfter(stored, machine, { ...options, upTo }), upTo };
    } catch (thrown) {
      if (thrown instanceof StorageDamagedError) {
        log.error('%s; none of the commands of the history that lost is told', thrown.message);
        return { commands: [], upTo: options.to };
      }
      if (!(thrown instanceof LogPrunedError) || thrown.base <= upTo) throw thrown;
      upTo = thrown.base;
    }
  }
}

async function readAfter(
  stored: LogStorage,
  machine: StateMachine<unknown, unknown, unknown, unknown>,
  { upTo, to, commit }: ReadOptions & { readonly upTo: LogIndex },
): Promise<readonly LoggedCommand[]> {
  const reading = new Reading(machine, commit);
  for (let next = (upTo + 1) as LogIndex; next <= to; ) {
    const entries = await stored.read({ from: next, to, maxBytes: READ_BYTES });
    if (entries.length === 0) break;
    for (const entry of entries) reading.take(entry);
    next = (next + entries.length) as LogIndex;
  }
  return reading.commands;
}

class Reading {
  readonly commands: LoggedCommand[] = [];
  readonly #machine: StateMachine<unknown, unknown, unknown, unknown>;
  readonly #commit: LogIndex;
  /** Sequences by session: what was sent again may be in the log twice. */
  readonly #taken = new Map<number, Set<number>>();

  constructor(machine: StateMachine<unknown, unknown, unknown, unknown>, commit: LogIndex) {
    this.#machine = machine;
    this.#commit = commit;
  }

  take({ kind, index, data }: Entry): void {
    if (kind !== 'command') return;
    tolerate(index, () => {
      for (const record of decodeEntry(data).records) if (record.kind === 'run') this.#takeRun(index, record);
    });
  }

  #takeRun(index: LogIndex, { session, sequence: first, commands }: CommandRun): void {
    const taken = this.#taken.get(session) ?? new Set();
    this.#taken.set(session, taken);
    for (const [place, bytes] of commands.entries()) {
      const sequence = first + place;
      if (taken.has(sequence)) continue;
      taken.add(sequence);
      tolerate(index, () => {
        const command = this.#machine.codecs.command.decode(bytes);
        this.commands.push({ index, command, wasCommitted: index <= this.#commit, session, sequence });
      });
    }
  }
}

/** What no member could read no member has applied: it must not keep this one from moving on. */
function tolerate(index: LogIndex, read: () => void): void {
  try {
    read();
  } catch (thrown) {
    log.error('entry %d of a history that lost cannot be read: %s', index, toError(thrown).message);
  }
}
