import { decodeEntry } from '../machine/commands.ts';
import type { StateMachine } from '../machine/machine.ts';
import type { Entry, LogIndex } from '../raft/types.ts';
import type { LogStorage } from '../storage/storage.ts';
import type { History } from '../wire/history.ts';

/** A command of a history that lost against another. */
export interface RevertedCommand<Command> {
  readonly index: LogIndex;
  readonly command: Command;
  /** It had been committed in the history that lost: whoever sent it may have been told so. */
  readonly wasCommitted: boolean;
}

/**
 * This member was of a history that met an older one, and lost. It is a new member of the other by now; nothing of what is
 * in here is in the group's state.
 */
export interface Reverted<Command = unknown> {
  readonly lost: History;
  readonly kept: History;
  /** What was still in the log, in order. */
  readonly commands: readonly RevertedCommand<Command>[];
  /** Commands up to this index are only in the log's snapshot; 0 when none are. */
  readonly upTo: LogIndex;
  /** Where the log was put. */
  readonly where: string | undefined;
}

/** Which entries to read, both ends included, and up to where they were committed. */
interface ReadOptions {
  readonly from: LogIndex;
  readonly to: LogIndex;
  readonly commit: LogIndex;
}

const READ_BYTES = 4 * 1024 * 1024;

/** Reads the commands of a log that is about to be put aside. */
export async function readCommands<Command>(
  log: LogStorage,
  { codecs }: StateMachine<Command, unknown, unknown, unknown>,
  { from, to, commit }: ReadOptions,
): Promise<RevertedCommand<Command>[]> {
  const commands: RevertedCommand<Command>[] = [];
  for (let next = from; next <= to; ) {
    const entries = await log.read({ from: next, to, maxBytes: READ_BYTES });
    if (entries.length === 0) break;
    for (const entry of entries)
      for (const bytes of commandsOf(entry))
        commands.push({
          index: entry.index,
          command: codecs.command.decode(bytes),
          wasCommitted: entry.index <= commit,
        });
    next = (next + entries.length) as LogIndex;
  }
  return commands;
}

function commandsOf({ kind, data }: Entry): readonly Uint8Array[] {
  if (kind !== 'command') return [];
  return decodeEntry(data).records.flatMap((record) => (record.kind === 'run' ? record.commands : []));
}
