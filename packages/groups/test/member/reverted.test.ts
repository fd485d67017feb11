import { encodeCbor, groupId, systemRuntime } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { keyValue } from '../../src/machine/index.ts';
import { readCommands } from '../../src/member/reverted.ts';
import type { Entry, LogIndex, Term } from '../../src/raft/types.ts';
import { memory } from '../../src/storage/memory.ts';
import type { LogStorage } from '../../src/storage/storage.ts';
import { commandEntry, open, run } from '../machine/support.ts';

async function logOf(...entries: Entry[]): Promise<LogStorage> {
  const log = await memory().open({ group: groupId('reverted'), runtime: systemRuntime });
  await log.append({ entries });
  return log;
}

const put = (value: number) => ({ put: 'x', value });

/** What is read of a log, in short. */
async function readOf(log: LogStorage, commit: number): Promise<unknown[]> {
  const range = { to: 10 as LogIndex, commit: commit as LogIndex };
  const { commands } = await readCommands(log, keyValue<number>(), range);
  return commands.map(({ index, command, wasCommitted, session, sequence }) => [
    index,
    (command as { value: number }).value,
    wasCommitted,
    session,
    sequence,
  ]);
}

describe('the commands of a log that is put aside', () => {
  it('are told once each, though the log has them again, and with what was committed', async () => {
    await using log = await logOf(
      commandEntry(1, [open(1), open(2)]),
      commandEntry(2, [run(1, 1, [put(1), put(2)]), run(2, 1, [put(3)])]),
      { index: 3 as LogIndex, term: 1 as Term, kind: 'noop', data: new Uint8Array(0) },
      commandEntry(4, [run(1, 2, [put(2), put(4)])]),
    );
    expect(await readOf(log, 2)).toEqual([
      [2, 1, true, 1, 1],
      [2, 2, true, 1, 2],
      [2, 3, true, 2, 1],
      [4, 4, false, 1, 3],
    ]);
  });

  it('are told also when some of it cannot be read, which nobody has applied', async () => {
    const garbled: Entry = { ...commandEntry(1, []), data: Uint8Array.of(99) };
    const undecodable = {
      ...run(1, 1, [put(1), put(2)]),
      commands: [Uint8Array.of(0xff), encodeCbor(put(2))],
    };
    await using log = await logOf(garbled, commandEntry(2, [undecodable as ReturnType<typeof run>]));
    expect(await readOf(log, 0)).toEqual([[2, 2, false, 1, 2]]);
  });
});
