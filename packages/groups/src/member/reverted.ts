import { decodeEntry } from '../machine/commands.ts';
import type { StateMachine } from '../machine/machine.ts';
import type { Entry, LogIndex } from '../raft/types.ts';
import { LogPrunedError } from '../storage/errors.ts';
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

/** The last entry to read, and up to where they were committed. */
interface ReadOptions {
  readonly to: LogIndex;
  readonly commit: LogIndex;
}

const READ_BYTES = 4 * 1024 * 1024;

/**
 * Reads the commands of a log that is about to be put aside, as far as they are in it. A snapshot that was on its way to the
 * disk may replace them even now.
 */
export async function readCommands<Command>(
  log: LogStorage,
  machine: StateMachine<Command, unknown, unknown, unknown>,
  options: ReadOptions,
): Promise<Pick<Reverted<Command>, 'commands' | 'upTo'>> {
  for (let upTo = 0 as LogIndex; ; ) {
    try {
      return { commands: await readAfter(log, machine, { ...options, upTo }), upTo };
    } catch (thrown) {
      if (!(thrown instanceof LogPrunedError) || thrown.base <= upTo) throw thrown;
      upTo = thrown.base;
    }
  }
}

async function readAfter<Command>(
  log: LogStorage,
  { codecs }: StateMachine<Command, unknown, unknown, unknown>,
  { upTo, to, commit }: ReadOptions & { readonly upTo: LogIndex },
): Promise<RevertedCommand<Command>[]> {
  const commands: RevertedCommand<Command>[] = [];
  for (let next = (upTo + 1) as LogIndex; next <= to; ) {
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
