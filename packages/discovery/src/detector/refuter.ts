import type { Timer } from '@mosaik/primitives';
import { compareVersions, type EntryVersion } from '../entry/peer-entry.ts';
import type { DetectorHost, RumourVerdict } from './contract.ts';
import type { StallWatch } from './stall-watch.ts';

/** No two refutations within this time; one that is needed meanwhile is made at its end. */
const REFUTE_INTERVAL_MS = 200;

/** Says that this node lives, whenever a rumour about its newest entry has it otherwise (SWIM §4.2). */
export class Refuter {
  readonly #host: DetectorHost;
  readonly #watch: StallWatch;
  readonly #onRefute: () => void;
  #pause: Timer | undefined;
  #missed: EntryVersion | undefined;

  constructor(host: DetectorHost, watch: StallWatch, onRefute: () => void) {
    this.#host = host;
    this.#watch = watch;
    this.#onRefute = onRefute;
  }

  /** A rumour about this node in this version. */
  hear(version: EntryVersion): RumourVerdict {
    const own = this.#host.versionOf(this.#host.self);
    if (own !== undefined && compareVersions(version, own) < 0) return 'stale';
    if (this.#pause === undefined) this.#refute();
    else if (this.#missed === undefined || compareVersions(version, this.#missed) > 0) this.#missed = version;
    return 'noted';
  }

  #refute(): void {
    this.#pause = this.#watch.after(REFUTE_INTERVAL_MS, () => this.#onPauseOver());
    this.#onRefute();
    this.#host.refute();
  }

  #onPauseOver(): void {
    const missed = this.#missed;
    this.#pause = undefined;
    this.#missed = undefined;
    if (missed !== undefined) this.hear(missed);
  }
}
