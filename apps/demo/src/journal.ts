import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Fill } from './book.ts';
import type { Order } from './orders.ts';
import type { View } from './view.ts';

/** What a process writes down as it happens: all that the report is made of. */
export type Note =
  /** The node takes part; `createMs` is what making it took. */
  | { readonly kind: 'up'; readonly peer: string; readonly address: string; readonly createMs: number }
  | { readonly kind: 'topology'; readonly topology: Topology }
  | { readonly kind: 'sent'; readonly sequence: number }
  /** The group has executed an order as the `number`-th of all; `sentMs` is when it was sent. */
  | {
      readonly kind: 'acknowledged';
      readonly sequence: number;
      readonly number: number;
      readonly sentMs: number;
    }
  | { readonly kind: 'refused'; readonly sequence: number; readonly reason: string }
  /** This matcher has applied an order. */
  | {
      readonly kind: 'executed';
      readonly number: number;
      readonly order: Order;
      readonly fills: readonly Fill[];
    }
  /** The view took over a snapshot that covers so many data. */
  | { readonly kind: 'restored'; readonly offset: number }
  /** The view holds all fills below `next`. */
  | { readonly kind: 'reported'; readonly next: number }
  | { readonly kind: 'view'; readonly view: View; readonly divergences: number }
  | { readonly kind: 'closed'; readonly closeMs: number }
  /** Of the process that starts and kills the others. */
  | { readonly kind: 'started'; readonly name: string }
  | { readonly kind: 'killed'; readonly name: string };

/** How a process sees the others. */
export interface Topology {
  /** The short ids of the peers in its catalog, sorted. */
  readonly peers: readonly string[];
  /** The matchers, as a member sees them. */
  readonly group?: { readonly leader: string | undefined; readonly term: number; readonly voters: number };
  /** Producers of fills that a reporter takes them from. */
  readonly producers?: number;
}

/** A note, and when it was made: ms since the Unix epoch, to the microsecond. */
export type Noted = Note & { readonly atMs: number };

/** A file that is written line by line. A line that was written survives the end of the process, however it ends. */
export interface Journal extends Disposable {
  note(note: Note): void;
}

export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

export function openJournal(file: string): Journal {
  const descriptor = openSync(file, 'a');
  return {
    note(note) {
      writeSync(descriptor, `${JSON.stringify({ ...note, atMs: nowMs() })}\n`);
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

/** What a process has written down. */
export function readJournal(file: string): Noted[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Noted);
}
