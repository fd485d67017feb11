import { encodeCbor } from '@mosaik/primitives';
import type { Outcome } from '../../src/machine/applier.ts';
import { type CommandRecord, encodeEntry, encodeRecord } from '../../src/machine/commands.ts';
import type { Entry, LogIndex, Term } from '../../src/raft/types.ts';

/** An entry of commands. */
export function commandEntry(
  index: number,
  records: readonly CommandRecord[],
  nowMs: number = 1_000 + index,
): Entry {
  return {
    index: index as LogIndex,
    term: 1 as Term,
    kind: 'command',
    data: encodeEntry(nowMs, records.map(encodeRecord)),
  };
}

export function open(name = 1): CommandRecord {
  return { kind: 'open', nonce: new Uint8Array(16).fill(name) };
}

/** Commands of a session, from a sequence on. */
export function run(
  session: number,
  sequence: number,
  commands: readonly unknown[],
  settled = 0,
): CommandRecord {
  return { kind: 'run', session, sequence, settled, commands: commands.map(encodeCbor) };
}

/** Outcomes as they are heard. */
export interface Heard {
  readonly session: number;
  readonly sequence: number;
  readonly outcome: Outcome<unknown>;
}
