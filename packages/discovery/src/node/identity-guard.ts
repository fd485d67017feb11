import { createLog, type EventSource, type PeerId, type Runtime, shortId } from '@mosaik/primitives';
import type { Starts } from '../detector/probe-protocol.ts';
import type { EntryVersion } from '../entry/peer-entry.ts';
import type { DiscoveryEvent } from '../events.ts';

/** The same conflict is reported this often at most. */
const REPORT_EVERY_MS = 10_000;
/** An entry of a process before us may have been signed this long after we began, by a clock that was set meanwhile. */
const OVERLAP_MS = 1_000;

const log = createLog('discovery');

interface IdentityGuardOptions {
  readonly self: PeerId;
  readonly runtime: Runtime;
  readonly events: EventSource<DiscoveryEvent>;
  readonly startedAtMs: () => number;
  /** Tells the other process, by way of everybody, that there are two. */
  readonly tell: (starts: Starts) => void;
}

/**
 * Notices that another process runs with this node's key. Neither gives way and neither fights: the catalogs show the one
 * that started later, as versions have it, and both say clearly what is wrong.
 */
export class IdentityGuard {
  readonly #options: IdentityGuardOptions;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: IdentityGuardOptions) {
    this.#options = options;
  }

  /** A rightly signed entry that speaks of this node has arrived. */
  onOwnEntry({ start, update }: EntryVersion): void {
    const mine = this.#options.startedAtMs();
    // What our own earlier life has said may still be about; what was said since we began is somebody else's.
    const isOther = start > mine || (start < mine && update > mine + OVERLAP_MS);
    if (isOther && this.#report(start)) this.#options.tell([mine, start]);
  }

  /** The other process has noticed first. */
  onTold(starts: Starts): boolean {
    const mine = this.#options.startedAtMs();
    const other = starts.find((start) => start !== mine);
    return starts.includes(mine) && other !== undefined && this.#report(other);
  }

  /** A neighbour has met the other process; not every one of its own neighbours may be one of ours. */
  onMet(starts: Starts): void {
    if (this.onTold(starts)) this.#options.tell(starts);
  }

  #report(otherStartedAtMs: number): boolean {
    const { runtime, events, self, startedAtMs } = this.#options;
    if (runtime.now() - this.#reportedAtMs < REPORT_EVERY_MS) return false;
    this.#reportedAtMs = runtime.now();
    log.error(
      '%s runs twice with one key: here and in a process that started at %d',
      shortId(self),
      otherStartedAtMs,
    );
    events.emit({ type: 'identityConflict', peer: self, startedAtMs: startedAtMs(), otherStartedAtMs });
    return true;
  }
}
