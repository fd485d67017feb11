import { decodeCbor, encodeCanonical, encodeCbor, toError } from '@mosaik/primitives';
import { equalBytes } from '../../storage/manifest.ts';
import { machine } from '../define.ts';
import { CommandRejectedError } from '../errors.ts';
import type { EncodedResult, StateMachine } from '../machine.ts';
import { EncodedMapResult, type MapResult } from './map-result.ts';
import { type Cell, MapState } from './map-state.ts';
import { readPut } from './put-bytes.ts';

export type { MapResult };

/** Bytes of a key in UTF-16 units, at most. */
const KEY_LENGTH_MAX = 4_096;
/** Keys that a range gives, at most and unless told otherwise. */
const RANGE_LIMIT = 1_000;

/** Changes one key. Values are what CBOR knows; two are equal when their canonical encodings are. */
export type MapCommand<Value> =
  | { readonly put: string; readonly value: Value }
  | { readonly delete: string }
  /** Puts `value`, or deletes where there is none, if the key holds `expected`; where there is none, if it is absent. */
  | {
      readonly compareAndSet: string;
      readonly expected?: Value | undefined;
      readonly value?: Value | undefined;
    };

/** Reads one key, or keys in order. */
export type MapQuery =
  | { readonly get: string }
  /** Keys from `from` up to, without, `until`, in the order of their UTF-16 units; up to `limit` of them (1000). */
  | { readonly from: string; readonly until?: string | undefined; readonly limit?: number | undefined };

/** A key with its value, and the log index that last wrote it. */
export interface MapEntry<Value> {
  readonly key: string;
  readonly value: Value;
  readonly version: number;
}

/** What was found: for `get` one or none. */
export interface MapAnswer<Value> {
  readonly entries: readonly MapEntry<Value>[];
  /** Whether the limit left some out. */
  readonly more: boolean;
}

/** A replicated map from text to values, in order of keys: the machine behind `mosaik demo`, and an example. */
export function keyValue<Value = unknown>(): StateMachine<
  MapCommand<Value>,
  MapResult<Value>,
  MapQuery,
  MapAnswer<Value>
> {
  return machine({
    signature: 'mosaik.key-value/1',
    initial: () => new MapState(),
    apply: (state: MapState, command: MapCommand<Value>, { index }) =>
      applyTo<Value>(state, command, index).value(),
    applyEncoded: (state, command, { index }) => applyEncodedTo<Value>(state, command, index),
    query: (state: MapState, query: MapQuery) => answerFrom<Value>(state, query),
    snapshot: (state: MapState) => state.snapshot(),
    restore: (chunks) => MapState.restore(chunks),
  });
}

/** Values are cells as they came; only what is compared, or more than bytes and numbers, is decoded. */
function applyEncodedTo<Value>(
  state: MapState,
  command: Uint8Array,
  version: number,
): EncodedResult<MapResult<Value>> {
  const put = readPut(command);
  if (put === undefined) return applyTo<Value>(state, decodeCbor(command) as MapCommand<Value>, version);
  return new EncodedMapResult(true, state.put(put.key, put.value, version));
}

function applyTo<Value>(
  state: MapState,
  command: MapCommand<Value>,
  version: number,
): EncodedMapResult<Value> {
  const key = keyOf(command);
  const cell = state.get(key);
  const before = cell?.bytes;
  if ('compareAndSet' in command && !holds(cell, command.expected))
    return new EncodedMapResult(false, before);
  const bytes = bytesOf(command);
  if (bytes !== undefined) state.put(key, bytes, version);
  else if (cell !== undefined) state.delete(key);
  return new EncodedMapResult(!('delete' in command) || cell !== undefined, before);
}

function keyOf<Value>(command: MapCommand<Value>): string {
  const key: unknown =
    'put' in command ? command.put : 'delete' in command ? command.delete : command.compareAndSet;
  if (typeof key !== 'string' || key.length > KEY_LENGTH_MAX) {
    throw new CommandRejectedError('bad-key', `a key is a text of up to ${KEY_LENGTH_MAX} characters`);
  }
  return key;
}

/** The encoding of the value that a command writes; undefined when it deletes. */
function bytesOf<Value>(command: MapCommand<Value>): Uint8Array | undefined {
  if ('delete' in command) return undefined;
  if (command.value !== undefined) return encodeCbor(command.value);
  if ('put' in command) throw new CommandRejectedError('bad-value', 'a put has a value');
  return undefined;
}

/** Whether a cell holds a value; `undefined` is that of no cell. */
function holds<Value>(cell: Cell | undefined, expected: Value | undefined): boolean {
  if (cell === undefined || expected === undefined) return cell === undefined && expected === undefined;
  return equalBytes(canonical(valueIn(cell)), canonical(expected));
}

/** The one encoding of a value, whatever the order of its keys. */
function canonical(value: unknown): Uint8Array {
  try {
    return encodeCanonical(value);
  } catch (thrown) {
    throw new CommandRejectedError('bad-value', `cannot be compared: ${toError(thrown).message}`);
  }
}

function answerFrom<Value>(state: MapState, query: MapQuery): MapAnswer<Value> {
  if ('get' in query) {
    const cell = state.get(query.get);
    return { entries: cell === undefined ? [] : [entryOf<Value>(query.get, cell)], more: false };
  }
  return rangeFrom<Value>(state, query);
}

function rangeFrom<Value>(
  state: MapState,
  { from, until, limit }: Extract<MapQuery, { from: string }>,
): MapAnswer<Value> {
  const most = Math.min(limit ?? RANGE_LIMIT, RANGE_LIMIT);
  const entries: MapEntry<Value>[] = [];
  for (const [key, cell] of state.entries(from)) {
    if (until !== undefined && key >= until) break;
    if (entries.length >= most) return { entries, more: true };
    entries.push(entryOf<Value>(key, cell));
  }
  return { entries, more: false };
}

function entryOf<Value>(key: string, cell: Cell): MapEntry<Value> {
  return { key, value: valueIn<Value>(cell), version: cell.version };
}

function valueIn<Value>({ bytes }: Cell): Value {
  return decodeCbor(bytes) as Value;
}
