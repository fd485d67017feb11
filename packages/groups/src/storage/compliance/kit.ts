import { type GroupId, groupId } from '@mosaik/primitives';
import { it } from 'vitest';
import type { Entry, LogIndex, MemberId, SnapshotMeta, Term } from '../../raft/types.ts';
import type { LogStorage, Storage } from '../storage.ts';
import type { StorageEnvironment, StorageSetup } from './environment.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

/** The group that logs of the suite are of, unless a test says otherwise. */
export const GROUP: GroupId = groupId('compliance');

/** Declares the tests of the suite. */
export interface Suite {
  readonly setup: StorageSetup;
  test(name: string, body: (environment: StorageEnvironment) => Promise<void>): void;
  /** A test for environments that can do something special; skipped in others. */
  testIf(
    canDo: boolean | undefined,
    name: string,
    body: (environment: StorageEnvironment) => Promise<void>,
  ): void;
}

export function suiteOf(setup: StorageSetup): Suite {
  const timeout = setup.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return {
    setup,
    test: (name, body) => it(name, { timeout }, () => setup.run(body)),
    testIf: (canDo, name, body) => it.skipIf(canDo !== true)(name, { timeout }, () => setup.run(body)),
  };
}

export function index(value: number): LogIndex {
  return value as LogIndex;
}

export function term(value: number): Term {
  return value as Term;
}

export function member(name: string): MemberId {
  return name as MemberId;
}

/** The data of an entry: its index and some more, so that none is like another. */
function dataOf(at: number, ofTerm: number, bytes = 20): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, position) => (at * 31 + ofTerm * 7 + position) & 0xff);
}

/** Entries `from` to `to`, both included, of a term. */
export function entries(from: number, to: number, ofTerm = 1, bytes?: number): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => ({
    index: index(from + at),
    term: term(ofTerm),
    kind: at % 5 === 4 ? 'noop' : 'command',
    data: dataOf(from + at, ofTerm, bytes),
  }));
}

/** One entry of a term. */
export function entry(at: number, ofTerm = 1, bytes?: number): Entry {
  return { index: index(at), term: term(ofTerm), kind: 'command', data: dataOf(at, ofTerm, bytes) };
}

/** What must be there at a place. */
export function at<T>(items: readonly T[], position: number): T {
  const item = items[position];
  if (item === undefined) throw new RangeError(`there is nothing at ${position}`);
  return item;
}

/** A snapshot at a position, with a configuration of some members. */
export function metaAt(at: number, ofTerm = 1): SnapshotMeta {
  const configuration = { voters: [member('ann'), member('bob')], learners: [member('cyd')] };
  return { index: index(at), term: term(ofTerm), configuration };
}

/** Chunks of a snapshot, different for each name. */
export function chunksOf(name: string, count = 3, bytes = 5_000): Uint8Array[] {
  const salt = [...name].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0);
  return Array.from({ length: count }, (_, position) =>
    Uint8Array.from({ length: bytes + position }, (_value, at) => (salt + position * 13 + at) & 0xff),
  );
}

/** Opens the log of {@link GROUP}. */
export function openLog({ runtime }: StorageEnvironment, storage: Storage): Promise<LogStorage> {
  return storage.open({ group: GROUP, runtime });
}

/** Everything in a log, read. */
export async function readAll(
  log: LogStorage,
  from: number,
  to: number = Number.MAX_SAFE_INTEGER,
): Promise<Entry[]> {
  const all: Entry[] = [];
  let next = from;
  while (next <= to) {
    const some = await log.read({ from: index(next), to: index(to) });
    if (some.length === 0) break;
    all.push(...some);
    next += some.length;
  }
  return all;
}

/** Writes a snapshot of these chunks. */
export async function writeSnapshot(
  log: LogStorage,
  meta: SnapshotMeta,
  chunks: readonly Uint8Array[],
): Promise<void> {
  await using stage = await log.stageSnapshot(meta);
  for (const chunk of chunks) await stage.write(chunk.slice());
  await stage.commit();
}

/** All chunks of the newest snapshot. */
export async function readSnapshot(log: LogStorage): Promise<Uint8Array[]> {
  await using reader = await log.openSnapshot();
  return reader === undefined ? [] : await Array.fromAsync(reader.chunks());
}

/** Closes a log and opens it again, as the same storage. */
export async function reopen(
  environment: StorageEnvironment,
  storage: Storage,
  log: LogStorage,
): Promise<LogStorage> {
  await log.close();
  return openLog(environment, storage);
}
