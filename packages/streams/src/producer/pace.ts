import type { Runtime, Scope, Timer } from '@mosaik/primitives';
import type { Channel } from './channel.ts';

/** A consumer that takes nothing for so long is dropped, also when it is the only one. */
const STALL_MS = 5_000;

interface PaceOptions {
  readonly scope: Scope;
  readonly channels: ReadonlySet<Channel>;
  readonly disconnectLagging: boolean;
  readonly drop: (channel: Channel) => void;
}

/**
 * Decides when whoever sends must wait for room in the queues, and which channel is too slow.
 *
 * Queues that are filled are waited for as long as that costs nobody anything: each channel still has something to send. When
 * one has nothing more, it starves: from here on the patience with the full ones runs out. So consumers of about the same
 * speed, newcomers among them, are fed at their common pace, however full the queues of some of them once became.
 */
export class Pace {
  readonly #options: PaceOptions;
  readonly #runtime: Runtime;
  readonly #onChange: () => void;
  #isHeld = false;
  #isWanted = false;
  #hasFull = false;
  #timer: Timer | undefined;

  constructor(options: PaceOptions, onChange: () => void) {
    this.#options = options;
    this.#runtime = options.scope.runtime;
    this.#onChange = onChange;
  }

  /** Whether whoever sends must wait. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Says whether somebody waits for room: only then may a slow channel be blamed for it. */
  setWanted(isWanted: boolean): void {
    if (this.#isWanted === isWanted) return;
    this.#isWanted = isWanted;
    this.assess();
  }

  /** Whether some queue is full: only then it matters who starves. */
  get hasFull(): boolean {
    return this.#hasFull;
  }

  /**
   * To be called when a queue has reached or left one of its bounds, when a channel came or went, and, while some queue is
   * full, when another has something to send or has nothing more.
   */
  assess(): void {
    const { channels, disconnectLagging } = this.#options;
    const all = [...channels];
    const full = all.filter((channel) => channel.isFull);
    this.#hasFull = full.length > 0;
    if (disconnectLagging && this.#dropLagging(full)) return;
    const nowMs = this.#runtime.now();
    const isBlame = disconnectLagging && this.#hasFull && all.some((channel) => channel.isStarving);
    for (const channel of all) {
      const isWaitedFor = isBlame && this.#isWanted && channel.isFull && !channel.isHeldBack;
      channel.patience.setWaiting(isWaitedFor, nowMs);
    }
    const isHeld = isBlame ? full.some((channel) => isWorthWaiting(channel, nowMs)) : this.#hasFull;
    this.#watch(full, { isHeld, isBlame, nowMs });
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.#onChange();
  }

  /** Drops who is further behind than can be kept, or stuck; each of them makes everything be assessed anew. */
  #dropLagging(full: readonly Channel[]): boolean {
    const { channels, drop } = this.#options;
    const nowMs = this.#runtime.now();
    const areOthersReady = full.length < channels.size;
    const isTooSlow = (channel: Channel): boolean =>
      (areOthersReady && channel.isOverfull && !channel.isHeldBack) ||
      (this.#isWanted && channel.stalledMs(nowMs) >= STALL_MS);
    const lagging = full.filter(isTooSlow);
    for (const channel of lagging) if (channels.has(channel)) drop(channel);
    return lagging.length > 0;
  }

  /** Looks again when patience ends, or a stall has lasted too long. */
  #watch(full: readonly Channel[], { isHeld, isBlame, nowMs }: Assessment): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!isHeld || !this.#isWanted || !this.#options.disconnectLagging) return;
    const waits = full.map((channel) => {
      const stallMs = STALL_MS - channel.stalledMs(nowMs);
      const patienceMs = channel.patience.leftMs(nowMs);
      return isBlame && patienceMs > 0 ? Math.min(stallMs, patienceMs) : stallMs;
    });
    this.#timer = this.#options.scope.after(Math.max(1, Math.min(...waits)), () => this.assess());
  }
}

/** How things stand. */
interface Assessment {
  readonly isHeld: boolean;
  /** Full channels hold up others. */
  readonly isBlame: boolean;
  readonly nowMs: number;
}

function isWorthWaiting(channel: Channel, nowMs: number): boolean {
  return channel.isHeldBack || channel.patience.leftMs(nowMs) > 0;
}
