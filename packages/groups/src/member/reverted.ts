import { decodeEntry } from '../machine/commands.ts';
import type { StateMachine } from '../machine/machine.ts';
import type { LogIndex } from '../raft/types.ts';
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
  /** What is still in the log, in order. */
  readonly commands: readonly RevertedCommand<Command>[];
  /** Commands up to this index are only in the log's snapshot; 0 when none are. */
  readonly upTo: LogIndex;
  /** Where the log was put. */
  readonly where: string | undefined;
}

const READ_BYTES = 4 * 1024 * 1024;

/** Reads the commands of a log that is about to be put aside. */
export async function readCommands<Command>(
  log: LogStorage,
  machine: StateMachine<Command, unknown, unknown, unknown>,
  range: { readonly from: LogIndex; readonly to: LogIndex; readonly commit: LogIndex },
): Promise<RevertedCommand<Command>[]> {
  const commands: RevertedCommand<Command>[] = [];
  let from = range.from;
  while (from <= range.to) {
    const entries = await log.read({ from, to: range.to, maxBytes: READ_BYTES });
    if (entries.length === 0) break;
    for (const entry of entries) {
      if (entry.kind !== 'command') continue;
      for (const record of decodeEntry(entry.data).records) {
        if (record.kind !== 'run') continue;
        const wasCommitted = entry.index <= range.commit;
        for (const bytes of record.commands)
          commands.push({ index: entry.index, command: machine.codecs.command.decode(bytes), wasCommitted });
      }
    }
    from = (from + entries.length) as LogIndex;
  }
  return commands;
}
