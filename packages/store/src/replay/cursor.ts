import { isUniqueId, type PeerId, type StreamId } from '@mosaik/primitives';
import type { Epoch, Sequence } from '@mosaik/streams';
import { CursorError } from '../errors.ts';

/** How far a replay is with the log of one producer. */
export interface CursorPosition {
  readonly producer: PeerId;
  readonly log: Epoch;
  /** The offset that comes next. */
  readonly next: Sequence;
  /** The log has ended, and its end was told as a gap. */
  readonly isOver?: boolean;
}

/** Where a replay goes on: plain data, to be kept as JSON. */
export interface Cursor {
  readonly version: 1;
  readonly stream: StreamId;
  readonly positions: readonly CursorPosition[];
}

const EPOCH = /^[0-9a-f]{16}$/;
const POSITIONS_MAX = 100_000;

/**
 * Checks a cursor that comes from a file or a user.
 *
 * @throws {CursorError} when it is none, or one of another stream.
 */
export function checkCursor(value: unknown, stream: StreamId): Cursor {
  const { version, stream: ofStream, positions } = fieldsOf(value);
  if (version !== 1) throw new CursorError('of an unknown version');
  if (ofStream !== stream) throw new CursorError('of another stream');
  if (!Array.isArray(positions) || positions.length > POSITIONS_MAX)
    throw new CursorError('without positions');
  return { version, stream, positions: positions.map(checkPosition) };
}

function checkPosition(value: unknown): CursorPosition {
  const { producer, log, next, isOver } = fieldsOf(value);
  if (!isUniqueId(producer)) throw new CursorError('a position without a producer');
  if (typeof log !== 'string' || !EPOCH.test(log)) throw new CursorError('a position without a log');
  if (!Number.isSafeInteger(next) || (next as number) < 0)
    throw new CursorError('a position without an offset');
  const position = { producer: producer as PeerId, log: log as Epoch, next: next as number };
  return isOver === true ? { ...position, isOver } : position;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new CursorError('not an object');
}
