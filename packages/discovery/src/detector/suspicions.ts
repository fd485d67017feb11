import { compareIds, type PeerId, type Timer } from '@mosaik/primitives';
import { compareVersions, type EntryVersion } from '../entry/peer-entry.ts';
import type { DetectorHost, DetectorOptions } from './contract.ts';
import { FACTOR_MAX, type Health } from './health.ts';
import { CONFIRMATIONS_NEEDED, suspicionTimeMs } from './options.ts';
import type { StallWatch } from './stall-watch.ts';

/** Somebody whom this node itself could not reach. */
interface Suspicion {
  readonly version: EntryVersion;
  readonly startedAtMs: number;
  isLost: boolean;
  /** Time that does not count, as this node stood still. */
  stalledMs: number;
  expiry: Timer | undefined;
}

/** Who else suspects a version of a peer, and when that was heard. Invariant: `by` holds at most {@link VOICES_MAX}. */
interface Confirmations {
  readonly version: EntryVersion;
  readonly by: Map<PeerId, number>;
}

/** More voices change nothing; a few to spare as old ones no longer count. */
const VOICES_MAX = 4 * CONFIRMATIONS_NEEDED;

/** What suspicions are made of. */
export interface SuspicionsParts {
  readonly host: DetectorHost;
  readonly options: DetectorOptions;
  readonly watch: StallWatch;
  readonly health: Health;
  /** A suspect did not refute in time; it is none any more. */
  readonly onExpire: (peer: PeerId, version: EntryVersion) => void;
}

/**
 * Whom this node suspects, and what others say (SWIM §4.2, Lifeguard §IV-B). Only those that could not reach a peer
 * themselves judge it; a rumour shortens their judgement and starts none.
 */
export class Suspicions {
  readonly #parts: SuspicionsParts;
  readonly #suspicions = new Map<PeerId, Suspicion>();
  readonly #confirmations = new Map<PeerId, Confirmations>();

  constructor(parts: SuspicionsParts) {
    this.#parts = parts;
  }

  /** Ascending by id. */
  get peers(): readonly PeerId[] {
    return [...this.#suspicions.keys()].sort(compareIds);
  }

  has(peer: PeerId): boolean {
    return this.#suspicions.has(peer);
  }

  /** Suspects a version of a peer, or learns that its process is gone; returns whether this is a new suspicion. */
  raise(peer: PeerId, version: EntryVersion, isLost: boolean): boolean {
    const held = this.#suspicions.get(peer);
    if (held !== undefined && compareVersions(held.version, version) >= 0) {
      held.isLost ||= isLost;
      this.#arm(peer, held);
      return false;
    }
    this.clear(peer, version);
    const startedAtMs = this.#parts.host.runtime.now();
    const suspicion = { version, startedAtMs, isLost, stalledMs: 0, expiry: undefined };
    this.#suspicions.set(peer, suspicion);
    this.#arm(peer, suspicion);
    return true;
  }

  /** Another node suspects a version of a peer too. */
  confirm(peer: PeerId, version: EntryVersion, by: PeerId): void {
    let known = this.#confirmations.get(peer);
    const order = known === undefined ? -1 : compareVersions(known.version, version);
    if (order > 0) return;
    if (known === undefined || order < 0) {
      known = { version, by: new Map() };
      this.#confirmations.set(peer, known);
    }
    const { by: voices } = known;
    voices.delete(by);
    voices.set(by, this.#parts.host.runtime.now());
    if (voices.size > VOICES_MAX) voices.delete(voices.keys().next().value as PeerId);
    const suspicion = this.#suspicions.get(peer);
    if (suspicion !== undefined) this.#arm(peer, suspicion);
  }

  /** The peer lives, or has a newer entry: nothing said of what is older than `version` holds; all of it by default. */
  clear(peer: PeerId, version?: EntryVersion): void {
    const isVoid = (older: EntryVersion): boolean =>
      version === undefined || compareVersions(older, version) < 0;
    const suspicion = this.#suspicions.get(peer);
    if (suspicion !== undefined && isVoid(suspicion.version)) {
      suspicion.expiry?.cancel();
      this.#suspicions.delete(peer);
    }
    const confirmations = this.#confirmations.get(peer);
    if (confirmations !== undefined && isVoid(confirmations.version)) this.#confirmations.delete(peer);
  }

  /** This node stood still: nobody could refute meanwhile. */
  extend(stalledMs: number): void {
    for (const suspicion of this.#suspicions.values()) suspicion.stalledMs += stalledMs;
  }

  #arm(peer: PeerId, suspicion: Suspicion): void {
    suspicion.expiry?.cancel();
    const delayMs = Math.max(0, this.#remainingMs(peer, suspicion));
    suspicion.expiry = this.#parts.watch.after(delayMs, () => this.#onTimer(peer, suspicion));
  }

  /** What has arrived already is read before the verdict: the refutation may be among it. */
  #onTimer(peer: PeerId, suspicion: Suspicion): void {
    if (this.#remainingMs(peer, suspicion) > 0) this.#arm(peer, suspicion);
    else this.#parts.host.runtime.yieldTo(() => this.#expire(peer, suspicion));
  }

  #expire(peer: PeerId, suspicion: Suspicion): void {
    const { host, watch, onExpire } = this.#parts;
    if (host.scope.isClosing || this.#suspicions.get(peer) !== suspicion) return;
    watch.look();
    if (this.#remainingMs(peer, suspicion) > 0) {
      this.#arm(peer, suspicion);
      return;
    }
    this.clear(peer);
    onExpire(peer, suspicion.version);
  }

  #remainingMs(peer: PeerId, suspicion: Suspicion): number {
    const { host, options, health } = this.#parts;
    const { isLost, version } = suspicion;
    const state = { isLost, confirmations: this.#confirmationsOf(peer, version), factor: health.factor };
    const untilMs = suspicion.startedAtMs + suspicion.stalledMs + suspicionTimeMs(options, state);
    return untilMs - host.runtime.now();
  }

  /** Voices count for as long as a suspicion can last. */
  #confirmationsOf(peer: PeerId, version: EntryVersion): number {
    const known = this.#confirmations.get(peer);
    if (known === undefined || compareVersions(known.version, version) !== 0) return 0;
    const { host, options } = this.#parts;
    const sinceMs = host.runtime.now() - FACTOR_MAX * options.suspicionMs;
    let count = 0;
    for (const heardAtMs of known.by.values()) if (heardAtMs >= sinceMs) count++;
    return count;
  }
}
