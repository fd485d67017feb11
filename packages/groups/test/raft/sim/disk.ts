import type { Persist, StoredState } from '../../../src/raft/raft.ts';
import type { HardState, LogIndex, MemberId, SnapshotMeta, Term } from '../../../src/raft/types.ts';
import type { LogCopy, MachineState } from './oracle.ts';

/** A snapshot and the machine's state in it. */
export interface HeldSnapshot {
  readonly meta: SnapshotMeta;
  readonly state: MachineState;
}

/** What survives a crash. */
export interface Disk {
  hardState: HardState;
  snapshot: HeldSnapshot;
  /** Pulled from others, not in force. */
  staged: Map<number, HeldSnapshot>;
  log: LogCopy;
}

export function createDisk(founders: readonly MemberId[]): Disk {
  const meta: SnapshotMeta = {
    index: 0 as LogIndex,
    term: 0 as Term,
    configuration: { voters: [...founders].sort(), learners: [] },
  };
  return {
    hardState: { term: 0 as Term, vote: undefined },
    snapshot: { meta, state: { index: 0, chain: 0 } },
    staged: new Map(),
    log: { base: { index: meta.index, term: meta.term }, entries: [] },
  };
}

/** What a write does to a log; used for the disk, when it is durable, and for what the member has in mind, at once. */
export function writeLog(log: LogCopy, { snapshot, truncateFrom, entries }: Persist): void {
  if (snapshot) {
    const gone = Math.min(log.entries.length, Math.max(0, snapshot.index - log.base.index));
    log.entries.splice(0, gone);
    log.base = { index: snapshot.index, term: snapshot.term };
  }
  if (truncateFrom !== undefined) {
    log.entries.length = Math.min(log.entries.length, Math.max(0, truncateFrom - log.base.index - 1));
  }
  for (const entry of entries) {
    const expected = log.base.index + log.entries.length + 1;
    if (entry.index !== expected) throw new Error(`wrote ${entry.index} where ${expected} comes next`);
    log.entries.push(entry);
  }
}

export function writeDisk(disk: Disk, persist: Persist): void {
  if (persist.hardState) disk.hardState = persist.hardState;
  if (persist.snapshot) {
    const held = disk.staged.get(persist.snapshot.index);
    if (!held) throw new Error(`the snapshot at ${persist.snapshot.index} was not staged`);
    disk.snapshot = held;
    disk.staged.delete(persist.snapshot.index);
  }
  writeLog(disk.log, persist);
}

/** Lets go of entries that the own snapshot covers. */
export function compact(disk: Disk, snapshot: HeldSnapshot): void {
  const { log } = disk;
  disk.snapshot = snapshot;
  log.entries.splice(0, Math.max(0, snapshot.meta.index - log.base.index));
  log.base = { index: snapshot.meta.index, term: snapshot.meta.term };
}

export function storedState({ hardState, snapshot, log }: Disk): StoredState {
  return { hardState, snapshot: snapshot.meta, entries: [...log.entries] };
}
