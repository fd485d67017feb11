import type { PeerId, Runtime, Scope } from '@mosaik/primitives';
import type { EntryVersion } from '../entry/peer-entry.ts';

/** What the detector needs from the rest of discovery. */
export interface DetectorHost {
  readonly runtime: Runtime;
  readonly scope: Scope;
  readonly self: PeerId;
  /** Peers we are connected to: those that are probed. Ascending by id. */
  neighbours(): readonly PeerId[];
  /** Everyone in the catalog, ascending by id; asked for helpers when there are too few neighbours. */
  members(): readonly PeerId[];
  /** The version held of a peer, of this node too; undefined when it is not in the catalog. */
  versionOf(peer: PeerId): EntryVersion | undefined;
  /**
   * Probes a peer once, over the live connection or by dialling it; resolves with the round trip in ms.
   * Rejects when it fails for sure (refused), or when `signal` fires. What is caused by a time that ran out, by a link
   * or scope that ended, or by the lack of an address is no sure failure.
   */
  ping(peer: PeerId, signal: AbortSignal): Promise<number>;
  /**
   * Asks `helper` to probe `target`; resolves with whether the target answered it. Rejects when the helper did not answer.
   *
   * The helper gives up after `nackAfterMs` and then says so: an answer that stays out tells of this node, not of the
   * target (Lifeguard §IV-A).
   */
  pingThrough(helper: PeerId, target: PeerId, signal: AbortSignal): Promise<boolean>;
  /** Tells everybody. */
  spread(rumour: Rumour): void;
  /** The peer is gone: its entry of this version is to leave the catalog. */
  declareDead(peer: PeerId, version: EntryVersion): void;
  /** Somebody suspects us, or holds us for dead: say that we live, with a newer version. */
  refute(): void;
  /** A round trip was measured. */
  rtt(peer: PeerId, rttMs: number): void;
}

/** What is said of a peer behind its back. `version` is that of the entry the speaker holds. */
export interface Rumour {
  readonly kind: 'suspect' | 'dead';
  readonly peer: PeerId;
  readonly version: EntryVersion;
  /** Who says it. */
  readonly by: PeerId;
}

/**
 * What became of a rumour: `noted`; `stale`, as a newer entry is held, or none; `doubted`, as the peer has answered
 * just now: it should be told what is said of it, so that it refutes.
 */
export type RumourVerdict = 'noted' | 'stale' | 'doubted';

/** Times in ms. Defaults suit a LAN; see docs/internals/discovery.md for the formulas. */
export interface DetectorOptions {
  /** Every neighbour is probed once in this time, or has asked this node whether it lives. Default 1000. */
  readonly probeIntervalMs: number;
  /** A direct probe without an answer after this is followed by indirect ones. Default 500. */
  readonly probeTimeoutMs: number;
  /** Members asked to probe in our stead. Default 3. */
  readonly indirectProbes: number;
  /** How long a suspect has to refute. Default 2500; scaled by the local health score. */
  readonly suspicionMs: number;
  /** The same when enough others suspect it too. Default 2000. */
  readonly confirmedSuspicionMs: number;
  /** The same when its process is known to be gone (connection lost and dial refused). Default 1000. */
  readonly lostSuspicionMs: number;
}

/** Notices who is gone (SWIM with the extensions of Lifeguard). */
export interface Detector {
  /** Begins to probe. */
  start(): void;
  /** A rumour has arrived; it was not known before. */
  hear(rumour: Rumour): RumourVerdict;
  /** A neighbour has asked this node whether it lives: so it lives itself, and need not be asked in its next turn. */
  onHeard(peer: PeerId): void;
  /** The connection to a peer has ended without a goodbye, or a dial to a member has failed. */
  onConnectionLost(peer: PeerId): void;
  /** The connection to a peer is closed as nobody needs it: that a probe over it failed says nothing. */
  onReleased(peer: PeerId): void;
  /** A newer entry of a peer has arrived: whatever was suspected of an older one is void. */
  onEntry(peer: PeerId, version: EntryVersion): void;
  /** The peer has left the catalog for whatever reason. */
  onGone(peer: PeerId): void;
  /** Whom this node suspects itself; ascending by id. */
  readonly suspects: readonly PeerId[];
  /** 0 when this node is well; up to 8 the more it has reason to doubt itself (Lifeguard's local health multiplier). */
  readonly health: number;
}
