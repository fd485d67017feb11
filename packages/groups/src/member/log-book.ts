import { createLog, type GroupId, type PeerId, type Runtime } from '@mosaik/primitives';
import type { Applier } from '../machine/applier.ts';
import type { StoredState } from '../raft/raft.ts';
import type { Entry, LogIndex, MemberId, SnapshotMeta, Term } from '../raft/types.ts';
import type { StorageDamagedError } from '../storage/errors.ts';
import type { LogStorage, Storage } from '../storage/storage.ts';
import { decodeHistory, encodeHistory, type History } from '../wire/history.ts';
import { memberId } from '../wire/member.ts';

const log = createLog('groups:log');

/** What is read at once when a log is opened. */
const READ_BYTES = 4 * 1024 * 1024;

/** A log that is open, and what it says of the member. */
export interface OpenedLog {
  readonly log: LogStorage;
  readonly member: MemberId;
  /** Undefined in a new log. */
  readonly history: History | undefined;
  /** What the core starts from. */
  readonly stored: StoredState;
  /** Something is known to be committed. */
  readonly isEstablished: boolean;
}

interface OpenOptions {
  readonly storage: Storage;
  readonly group: GroupId;
  readonly peer: PeerId;
  readonly runtime: Runtime;
}

/**
 * Opens a log, and reads what the core starts from. The state of the machine is left to {@link restoreFrom}.
 *
 * @throws {StorageError} and the log is closed; `StorageDamagedError`, if it is to be put aside.
 */
export async function openLog({ storage, group, peer, runtime }: OpenOptions): Promise<OpenedLog> {
  const opened = await storage.open({ group, runtime });
  try {
    const { snapshot, commit, hardState } = opened.recovered;
    const history = await readHistory(opened);
    const entries = await readEntries(opened, snapshot?.index ?? 0);
    const isFounded = snapshot !== undefined && snapshot.configuration.voters.length > 0;
    const stored: StoredState = { hardState, entries, ...(isFounded ? { snapshot } : {}) };
    const member = memberId(peer, opened.incarnation);
    return { log: opened, member, history, stored, isEstablished: commit > 0 };
  } catch (thrown) {
    await opened.close();
    throw thrown;
  }
}

/** Puts a damaged log aside, which must be closed, so that the next one is another member's; returns where it is now. */
export async function putAside(storage: Storage, { message }: StorageDamagedError): Promise<string> {
  log.error('%s; this node is another member from now on', message);
  return (await storage.setAside('damaged')) ?? storage.description;
}

async function readHistory(opened: LogStorage): Promise<History | undefined> {
  const reader = await opened.openSnapshot();
  if (reader === undefined) return undefined;
  await using snapshot = reader;
  return decodeHistory(await snapshot.read(0));
}

async function readEntries(opened: LogStorage, after: number): Promise<Entry[]> {
  const to = opened.recovered.last.index;
  const entries: Entry[] = [];
  for (let from = after + 1; from <= to; from = after + entries.length + 1) {
    const read = await opened.read({ from: from as LogIndex, to, maxBytes: READ_BYTES });
    if (read.length === 0) break;
    entries.push(...read);
  }
  return entries;
}

/**
 * Writes into a new log which history it is of, before anything of that history is taken or sent. A founder names the first
 * voters; whoever takes over a history knows nobody yet.
 */
export async function beginHistory(
  opened: LogStorage,
  history: History,
  voters: readonly MemberId[],
): Promise<StoredState> {
  const configuration = { voters, learners: [] };
  const snapshot: SnapshotMeta = { index: 0 as LogIndex, term: 0 as Term, configuration };
  await using stage = await opened.stageSnapshot(snapshot);
  await stage.write(encodeHistory(history));
  await stage.commit();
  return voters.length > 0 ? { snapshot } : {};
}

/**
 * Replaces the machine's state by the snapshot in the log.
 *
 * @throws {StorageDamagedError} chunks are verified here, not when the log is opened.
 */
export async function restoreFrom(
  opened: LogStorage,
  applier: Applier<unknown, unknown, unknown>,
): Promise<void> {
  const reader = await opened.openSnapshot();
  if (reader === undefined) return;
  await using snapshot = reader;
  if (snapshot.meta.index === 0) return;
  await applier.restore(snapshot.meta, withoutFirst(snapshot.chunks()));
}

async function* withoutFirst(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (!isFirst) yield chunk;
    isFirst = false;
  }
}

/** Writes a snapshot of the machine as it is now, and puts it in force. Entries stay until they are pruned. */
export async function writeSnapshot(
  opened: LogStorage,
  history: History,
  snapshot: { readonly meta: SnapshotMeta; readonly chunks: AsyncIterable<Uint8Array> },
): Promise<void> {
  await using stage = await opened.stageSnapshot(snapshot.meta);
  await stage.write(encodeHistory(history));
  for await (const chunk of snapshot.chunks) await stage.write(chunk);
  await stage.commit();
}
