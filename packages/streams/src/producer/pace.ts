import type { Runtime, Scope, Timer } from '@mosaik/primitives';
import type { Channel } from './channel.ts';

/** A consumer that takes nothing for so long is dropped, also when it is the only one. */
export const STALL_MS = 5_000;

interface PaceOptions {
  readonly scope: Scope;
  readonly channels: ReadonlySet<Channel>;
  readonly disconnectLagging: boolean;
  readonly drop: (channel: Channel) => void;
}

/** Decides when whoever sends must wait for room in the queues, and which channel is too slow. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #runtime: Runtime;
  #isHeld = false;
  #isWanted = false;
  #timer: Timer | undefined;
  readonly #onChange: () => void;

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

  /** A queue has reached or left one of its bounds, or a channel came or went. */
  assess(): void {
    const { channels, disconnectLagging } = this.#options;
    const full = [...channels].filter((channel) => channel.isFull);
    const areOthersReady = full.length < channels.size;
    if (full.length > 0 && disconnectLagging && this.#dropLagging(full, areOthersReady)) return;
    const nowMs = this.#runtime.now();
    const isBlame = disconnectLagging && areOthersReady && this.#isWanted;
    for (const channel of channels) {
      channel.patience.setWaiting(isBlame && channel.isFull && !channel.isHeldBack, nowMs);
    }
    const isHeld =
      disconnectLagging && areOthersReady
        ? full.some((channel) => isWorthWaiting(channel, nowMs))
        : full.length > 0;
    this.#watch(full, isHeld, nowMs);
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.#onChange();
  }

  /** Drops who is further behind than can be kept, or stuck; each of them makes everything be assessed anew. */
  #dropLagging(full: readonly Channel[], areOthersReady: boolean): boolean {
    const nowMs = this.#runtime.now();
    const isTooSlow = (channel: Channel): boolean =>
      (areOthersReady && channel.isOverfull && !channel.isHeldBack) ||
      (this.#isWanted && channel.stalledMs(nowMs) >= STALL_MS);
    const lagging = full.filter(isTooSlow);
    for (const channel of lagging) if (this.#options.channels.has(channel)) this.#options.drop(channel);
    return lagging.length > 0;
  }

  /** Looks again when patience ends, or a stall has lasted too long. */
  #watch(full: readonly Channel[], isHeld: boolean, nowMs: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!isHeld || !this.#isWanted || !this.#options.disconnectLagging) return;
    const waits = full.map((channel) => {
      const stallMs = STALL_MS - channel.stalledMs(nowMs);
      const patienceMs = channel.patience.leftMs(nowMs);
      return patienceMs > 0 ? Math.min(stallMs, patienceMs) : stallMs;
    });
    this.#timer = this.#options.scope.after(Math.max(1, Math.min(...waits)), () => this.assess());
  }
}

function isWorthWaiting(channel: Channel, nowMs: number): boolean {
  return channel.isHeldBack || channel.patience.leftMs(nowMs) > 0;
}
