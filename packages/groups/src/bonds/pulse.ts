import { jitter, type Runtime } from '@mosaik/primitives';
import type { BondSettings } from './options.ts';

/** Beats that may be missing before a peer counts as silent: what sleeps because it lives wakes up then. */
const SILENT_BEATS = 2;

/** A peer is silent after this long, in ms. */
export function silentAfterMs({ beatIntervalMs }: BondSettings): number {
  return SILENT_BEATS * beatIntervalMs;
}

interface PulseOptions {
  readonly runtime: Runtime;
  readonly settings: BondSettings;
  /** How often the node looks, in ms: a beat goes with the look that is closest to its time. */
  readonly lookEveryMs: number;
  /** Messages that were sent so far; any of them is a sign of life. */
  readonly sentMessages: () => number;
  readonly beat: () => void;
}

/** The signs of life of one peer, and those that it is given. */
export class Pulse {
  readonly #options: PulseOptions;
  #heardAtMs: number;
  #beatDueAtMs = 0;
  #sentMessages = 0;
  #isSilent = false;

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#heardAtMs = options.runtime.now();
  }

  /** How long nothing has come. */
  get silentMs(): number {
    return this.#options.runtime.now() - this.#heardAtMs;
  }

  heard(): void {
    this.#heardAtMs = this.#options.runtime.now();
  }

  /** Whether the peer has fallen silent since this was asked last. */
  takeSilence(nowMs: number): boolean {
    const wasSilent = this.#isSilent;
    this.#isSilent = nowMs - this.#heardAtMs >= silentAfterMs(this.#options.settings);
    return this.#isSilent && !wasSilent;
  }

  /** Gives a sign of life, if it is time to and there was no other. */
  tick(nowMs: number): void {
    const { sentMessages, beat, lookEveryMs } = this.#options;
    const isOther = sentMessages() !== this.#sentMessages;
    if (!isOther && nowMs + lookEveryMs / 2 < this.#beatDueAtMs) return;
    if (!isOther) beat();
    this.#sentMessages = sentMessages();
    const { runtime, settings } = this.#options;
    this.#beatDueAtMs = nowMs + jitter(runtime, settings.beatIntervalMs);
  }
}
