import { decodeCbor, encodeCanonical, encodeCbor, toError } from '@mosaik/primitives';
import { equalBytes } from '../../storage/manifest.ts';
import { machine } from '../define.ts';
import { CommandRejectedError } from '../errors.ts';
import type { StateMachine } from '../machine.ts';
import { type Cell, MapState, type MapTree } from './map-state.ts';

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

/** What became of a key. */
export interface MapResult<Value> {
  /** Whether the command changed, or confirmed, what it was for: false for a comparison that failed, a delete of nothing. */
  readonly done: boolean;
  /** The value before; absent where there was none. */
  readonly before?: Value;
}

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
      applyTo<Value>(state.tree, command, index),
    query: (state: MapState, query: MapQuery) => answerFrom<Value>(state.tree, query),
    snapshot: (state: MapState) => state.snapshot(),
    restore: (chunks) => MapState.restore(chunks),
  });
}

function applyTo<Value>(tree: MapTree, command: MapCommand<Value>, version: number): MapResult<Value> {
  const key = keyOf(command);
  const cell = tree.get(key);
  const before = cell === undefined ? {} : { before: valueIn<Value>(cell) };
  if ('compareAndSet' in command && !holds(cell, command.expected)) return { done: false, ...before };
  const bytes = bytesOf(command);
  if (bytes !== undefined) tree.set(key, { version, bytes });
  else if (cell !== undefined) tree.delete(key);
  return { done: !('delete' in command) || cell !== undefined, ...before };
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
  if (command.value !== undefined) return encodeCbor(command.value).slice();
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

function answerFrom<Value>(tree: MapTree, query: MapQuery): MapAnswer<Value> {
  if ('get' in query) {
    const cell = tree.get(query.get);
    return { entries: cell === undefined ? [] : [entryOf<Value>(query.get, cell)], more: false };
  }
  return rangeFrom<Value>(tree, query);
}

function rangeFrom<Value>(
  tree: MapTree,
  { from, until, limit }: Extract<MapQuery, { from: string }>,
): MapAnswer<Value> {
  const most = Math.min(limit ?? RANGE_LIMIT, RANGE_LIMIT);
  const entries: MapEntry<Value>[] = [];
  for (const [key, cell] of tree.entries(from)) {
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
