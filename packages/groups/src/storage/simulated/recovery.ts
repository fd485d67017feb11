import { DecodeError, type GroupId, InvariantError } from '@mosaik/primitives';
import { StorageDamagedError } from '../errors.ts';
import { LogState } from '../log-state.ts';
import { decodeSnapshot } from '../snapshot-codec.ts';
import type { SimulatedMount } from './disk.ts';
import { Places } from './places.ts';
import { decodeMark, type LogRecord, readRecords } from './records.ts';

/** Where a log is on a disk. */
export interface LogFiles {
  readonly log: string;
  readonly mark: string;
}

export function filesOf(name: string): LogFiles {
  return { log: name, mark: `${name}-mark` };
}

/** A log, read from its records. */
export interface Recovered {
  readonly state: LogState;
  readonly places: Places;
  /** Bytes of the file. */
  readonly end: number;
  /** Records that are there. */
  readonly sequence: number;
  /** Snapshots that were begun have lower numbers. */
  readonly nextSnapshot: number;
}

/**
 * Reads a log; undefined when there is none. What a crash has cut at the end is removed.
 *
 * @throws {StorageDamagedError}
 */
export function recover(mount: SimulatedMount, files: LogFiles, where: string): Recovered | undefined {
  try {
    return recoverFrom(mount, files);
  } catch (thrown) {
    // Records that contradict each other passed their checksums: something else wrote them.
    if (!(thrown instanceof DecodeError || thrown instanceof InvariantError)) throw thrown;
    throw new StorageDamagedError(where, thrown.message, { cause: thrown });
  }
}

function recoverFrom(mount: SimulatedMount, files: LogFiles): Recovered | undefined {
  const acknowledged = acknowledgedIn(mount, files);
  const file = mount.read(files.log) ?? new Uint8Array();
  const { records, end } = readRecords(file);
  if (records.length < acknowledged) {
    throw new DecodeError(
      'malformed',
      `${acknowledged - records.length} writes that were acknowledged are gone`,
    );
  }
  if (end < file.length) mount.truncate(files.log, end);
  const [first, ...rest] = records;
  if (first === undefined) return undefined;
  const { record: creation } = first;
  if (creation.kind !== 'create') throw new DecodeError('malformed', 'a log begins with its creation');
  const replay = new Replay(new LogState(creation.group as GroupId, creation.incarnation));
  const places = new Places();
  for (const placed of rest) {
    replay.apply(placed.record);
    places.note(placed);
  }
  const { state, nextSnapshot } = replay;
  return { state, places, end, sequence: records.length, nextSnapshot };
}

function acknowledgedIn(mount: SimulatedMount, { mark }: LogFiles): number {
  const bytes = mount.read(mark);
  return bytes === undefined ? 0 : decodeMark(bytes);
}

/** Does again what the records say. */
class Replay {
  readonly state: LogState;
  #staged: Uint8Array[] = [];
  #stagedSnapshot = 0;

  constructor(state: LogState) {
    this.state = state;
  }

  get nextSnapshot(): number {
    return this.#stagedSnapshot + 1;
  }

  apply(record: LogRecord): void {
    switch (record.kind) {
      case 'create':
        throw new DecodeError('malformed', 'a log is created once');
      case 'batch':
        this.state.append(record.batch);
        break;
      case 'chunk':
        this.#stage(record.snapshot);
        this.#staged[record.position] = record.bytes.slice();
        break;
      case 'commit':
        this.#stage(record.snapshot);
        this.state.adopt({ ...decodeSnapshot(record.record), chunks: this.#staged });
        break;
      case 'prune':
        this.state.prune(record.upTo);
        break;
    }
  }

  #stage(snapshot: number): void {
    if (snapshot === this.#stagedSnapshot) return;
    this.#stagedSnapshot = snapshot;
    this.#staged = [];
  }
}
