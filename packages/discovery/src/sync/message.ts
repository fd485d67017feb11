import type { PeerId } from '@mosaik/primitives';
import type { EntryVersion } from '../entry/peer-entry.ts';
import type { Salt } from './fingerprints.ts';
import type { SyncRange } from './range.ts';
import type { Tombstone } from './source.ts';

/** The first word of the initiator, and a turn of its own. */
export interface OpenMessage {
  readonly kind: 'open';
  readonly salt: Salt;
  /** Covers all peer ids. */
  readonly range: SyncRange;
}

/** Ends a turn. */
export interface StepMessage {
  readonly kind: 'step';
  /** Ascending and apart; within the fingerprint ranges of the turn before. */
  readonly ranges: readonly SyncRange[];
  /** Peers that the turn before listed, and whose entries are asked for. */
  readonly wants: readonly PeerId[];
  /** About peers that the turn before listed or sent. */
  readonly tombstones: readonly Tombstone[];
}

/** An entry on its way. */
export interface SentEntry {
  readonly peer: PeerId;
  /** As it was when the session began; the entry itself may be newer. */
  readonly version: EntryVersion;
  /** The signed entry; empty when it was asked for and is no longer held. */
  readonly bytes: Uint8Array;
}

/** Part of a turn, before its step. */
export interface EntriesMessage {
  readonly kind: 'entries';
  readonly entries: readonly SentEntry[];
}

/** What sync peers say to each other. */
export type SyncMessage = OpenMessage | StepMessage | EntriesMessage;
