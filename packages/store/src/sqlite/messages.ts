/** What goes between a store and its two workers. Bytes are handed over, not copied. */
import type { KillPoint } from '@mosaik/groups/sqlite-kit';
import type { KeptBlock, LogIdentity } from '../log/log-storage.ts';
import type { Point } from './points.ts';
import type { LogRecord, Place } from './records.ts';

/** What tests may ask for besides; no part of the public contract. */
export interface SqliteTestOptions {
  readonly killAt?: KillPoint<Point> | undefined;
  /** The database takes no more pages: a full disk. */
  readonly maxPages?: number | undefined;
  /** Instead of {@link CHECKPOINT_BYTES}. */
  readonly checkpointBytes?: number | undefined;
}

/** Written before what was written is copied into the database: the longer, the less often pages are written twice. */
export const CHECKPOINT_BYTES: number = 16 * 1024 * 1024;

export interface OpenWork extends SqliteTestOptions {
  readonly kind: 'open';
  readonly path: string;
  /** The id of a store that is not there yet. */
  readonly store: string;
}

/** Blocks of any logs, in order. */
export interface AppendWork {
  readonly kind: 'append';
  /** For each block: {@link HEAD_NUMBERS} numbers. */
  readonly heads: Float64Array<ArrayBuffer>;
  /** Their bytes, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Log, first, next, timeMs, position, size. */
export const HEAD_NUMBERS = 6;

export type WriterWork =
  | OpenWork
  | AppendWork
  | { readonly kind: 'begin'; readonly identity: LogIdentity; readonly isOwn: boolean }
  | { readonly kind: 'verify'; readonly log: number }
  | { readonly kind: 'trim'; readonly log: number; readonly below: number }
  | { readonly kind: 'remove'; readonly log: number }
  /** Removes some of what is not kept any more. */
  | { readonly kind: 'sweep' }
  | { readonly kind: 'stage' }
  | { readonly kind: 'discard'; readonly snapshot: number }
  | {
      readonly kind: 'chunk';
      readonly snapshot: number;
      readonly position: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly kind: 'save';
      readonly fold: string;
      readonly snapshot: number;
      readonly chunks: number;
      readonly bytes: number;
    }
  | { readonly kind: 'close' };

/** A log that was found or begun. */
export interface OpenedLog {
  readonly log: number;
  readonly record: LogRecord;
}

export interface Trimmed {
  readonly first: number;
  readonly kept: Place;
}

/** What a piece of work came to: `undefined` where there is nothing to say; the number of a snapshot that was staged. */
export type WriterValue = readonly OpenedLog[] | OpenedLog | Trimmed | 'more' | number | undefined;

export type ReaderWork =
  | { readonly kind: 'open'; readonly path: string }
  /** Up to `end`, where the log ended when this was asked for. */
  | {
      readonly kind: 'read';
      readonly log: number;
      readonly from: number;
      readonly end: Place;
      readonly maxBytes: number;
    }
  | { readonly kind: 'offsetAt'; readonly log: number; readonly timeMs: number; readonly end: Place }
  | { readonly kind: 'offsetWithin'; readonly log: number; readonly maxBytes: number; readonly end: Place }
  | { readonly kind: 'load'; readonly fold: string }
  | { readonly kind: 'close' };

export type ReaderValue = readonly KeptBlock[] | Uint8Array<ArrayBuffer> | number | undefined;
