import { type BackoffOptions, InvalidArgumentError, type StreamId } from '@mosaik/primitives';
import type { Sequence } from '@mosaik/streams';
import { type Cursor, checkCursor } from './cursor.ts';
import type { ReplayOptions } from './replay.ts';

/** Where each log begins. */
export type Begin =
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'offset'; readonly offset: Sequence }
  | { readonly kind: 'since'; readonly sinceMs: number }
  | { readonly kind: 'cursor'; readonly cursor: Cursor };

/** The options of a replay, with their defaults. */
export interface ReplaySettings {
  readonly begin: Begin;
  readonly backoff: BackoffOptions;
  readonly maxBuffer: number;
  readonly minHolders: number;
}

/**
 * @throws {InvalidArgumentError} when an option is out of range.
 * @throws {CursorError} when the cursor cannot be used.
 */
export function replaySettings(stream: StreamId, options: ReplayOptions): ReplaySettings {
  return {
    begin: beginOf(stream, options.from ?? 'start'),
    backoff: options.backoff ?? { baseMs: 100, maxMs: 5_000 },
    maxBuffer: atLeast('maxBuffer', options.maxBuffer ?? 4 * 1024 * 1024, 1),
    minHolders: atLeast('minHolders', options.minHolders ?? 1, 1),
  };
}

function beginOf(stream: StreamId, from: NonNullable<ReplayOptions['from']>): Begin {
  if (from === 'start' || from === 'end') return { kind: from };
  if (typeof from !== 'object' || from === null)
    throw new InvalidArgumentError('from', "'start', 'end', { offset }, { since } or a cursor");
  if ('offset' in from) return { kind: 'offset', offset: whole('from.offset', from.offset) };
  if ('since' in from) return { kind: 'since', sinceMs: whole('from.since', Math.ceil(Number(from.since))) };
  return { kind: 'cursor', cursor: checkCursor(from, stream) };
}

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError(name, `a whole number of 0 or more, not ${value}`);
}

function atLeast(name: string, value: number, minimum: number): number {
  if (value >= minimum) return value;
  throw new InvalidArgumentError(name, `a number of ${minimum} or more, not ${value}`);
}
