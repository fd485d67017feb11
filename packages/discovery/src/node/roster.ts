import type { EventSource, PeerId, Runtime } from '@mosaik/primitives';
import type { Address, Transport } from '@mosaik/transport';
import type { CatalogBook } from '../catalog/book.ts';
import { type PeerInfo, peerInfo } from '../catalog/peer-info.ts';
import type { PeerRecord } from '../catalog/record.ts';
import {
  compareVersions,
  type EntryVersion,
  type PeerEntry,
  type SignedEntry,
  sayTheSame,
} from '../entry/peer-entry.ts';
import type { DepartureReason, DiscoveryEvent } from '../events.ts';
import { createRttEstimator, type RttEstimator } from '../rtt/estimator.ts';

/** A smoothed round trip is told of when it has moved by more than this share, and by more than a millisecond. */
const RTT_STEP = 0.2;

interface RosterOptions {
  readonly book: CatalogBook;
  readonly events: EventSource<DiscoveryEvent>;
  readonly transport: Transport;
  readonly runtime: Runtime;
  /** A newer entry of a peer is in force. */
  readonly onEntry: (peer: PeerId, version: EntryVersion) => void;
  /** A peer is not in the catalog any more. */
  readonly onGone: (peer: PeerId, addresses: readonly Address[], reason: DepartureReason) => void;
}

/** Puts changes of the catalog into force, and tells everybody who needs to know of each, once. */
export class Roster {
  readonly #options: RosterOptions;
  readonly #estimators = new Map<PeerId, RttEstimator>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** An entry that passed all checks. */
  accept(signed: SignedEntry, verdict: 'insert' | 'update' | 'depart'): void {
    const { book, runtime, onEntry } = this.#options;
    const { peer, version } = signed.entry;
    if (verdict === 'depart') {
      this.#gone(peer, book.bury(peer, version, runtime.now()), 'left');
      return;
    }
    this.#changed(peer, () => book.put(signed, runtime.now()));
    onEntry(peer, version);
  }

  /** An entry that the user put in. */
  insert(entry: PeerEntry): void {
    this.#changed(entry.peer, () => this.#options.book.putLocal(entry, this.#options.runtime.now()));
  }

  /** A peer is gone as of a version; a newer entry of it proves the contrary. */
  bury(peer: PeerId, version: EntryVersion, reason: 'dead' | 'left'): void {
    const { book, runtime } = this.#options;
    const record = book.get(peer);
    if (record === undefined || compareVersions(record.entry.version, version) > 0) return;
    this.#gone(peer, book.bury(peer, version, runtime.now()), reason);
  }

  remove(peer: PeerId): void {
    this.#gone(peer, this.#options.book.remove(peer), 'removed');
  }

  /** Drops those of whom nothing newer was heard for `purgeAfterMs`, and forgets the graves of that time. */
  purge(purgeAfterMs: number): void {
    const { book, runtime } = this.#options;
    const beforeMs = runtime.now() - purgeAfterMs;
    for (const record of [...book.records()]) {
      const { peer, version } = record.entry;
      const isLocal = record.signed === undefined;
      if (isLocal || record.heardAtMs >= beforeMs) continue;
      this.#gone(peer, book.bury(peer, version, runtime.now()), 'purged');
    }
    book.forgetGraves(beforeMs);
  }

  /** A round trip to a peer was measured. */
  measured(peer: PeerId, rttMs: number): void {
    const record = this.#options.book.get(peer);
    if (record === undefined) return;
    const estimator = this.#estimators.get(peer) ?? createRttEstimator();
    this.#estimators.set(peer, estimator);
    estimator.add(rttMs);
    const { srttMs } = estimator;
    if (srttMs !== undefined && hasMoved(record.rttMs, srttMs)) this.#setRtt(peer, record, srttMs);
  }

  #setRtt(peer: PeerId, record: PeerRecord, rttMs: number): void {
    const { book, events } = this.#options;
    const change = book.setRtt(peer, rttMs);
    const info = peerInfo(record.entry, rttMs);
    if (change === 'hidden') events.emit({ type: 'departed', peer: info, reason: 'far' });
    if (change === 'shown') events.emit({ type: 'discovered', peer: info });
  }

  #changed(peer: PeerId, change: () => PeerRecord | undefined): void {
    const { book, events, transport } = this.#options;
    const wasVisible = book.isVisible(peer);
    const previous = change();
    const record = book.get(peer);
    if (record === undefined) return;
    transport.setAddresses(peer, record.entry.addresses);
    if (!book.isVisible(peer)) return;
    const info = peerInfo(record.entry, record.rttMs);
    if (previous !== undefined && wasVisible) {
      if (sayTheSame(previous.entry, record.entry)) return;
      events.emit({ type: 'updated', peer: info, previous: peerInfo(previous.entry, previous.rttMs) });
    } else {
      events.emit({ type: 'discovered', peer: info });
    }
  }

  #gone(peer: PeerId, record: PeerRecord | undefined, reason: DepartureReason): void {
    if (record === undefined) return;
    const { events, transport, onGone } = this.#options;
    this.#estimators.delete(peer);
    transport.setAddresses(peer, []);
    onGone(peer, record.entry.addresses, reason);
    const info: PeerInfo = peerInfo(record.entry, record.rttMs);
    events.emit({ type: 'departed', peer: info, reason });
  }
}

function hasMoved(knownMs: number | undefined, nowMs: number): boolean {
  if (knownMs === undefined) return true;
  return Math.abs(nowMs - knownMs) > Math.max(1, knownMs * RTT_STEP);
}
