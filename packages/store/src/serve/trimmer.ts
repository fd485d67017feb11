import type { Scope } from '@mosaik/primitives';
import type { Retention } from '../log/log-storage.ts';
import type { KeptLog } from './kept-log.ts';

/** How often a log is looked at: what retention removes is removed from storage at most so late. */
const TRIM_EVERY_MS = 1_000;

/** Removes from storage what retention does not keep, behind the back of whoever writes. */
export class Trimmer {
  readonly #log: KeptLog;
  readonly #retention: Retention;
  readonly #scope: Scope;
  #isAtWork = false;

  constructor(log: KeptLog, retention: Retention, scope: Scope) {
    this.#log = log;
    this.#retention = retention;
    this.#scope = scope;
    if (Object.values(retention).some((limit) => limit !== undefined)) {
      scope.every(TRIM_EVERY_MS, () => this.#look());
    }
  }

  /** Removes it now. */
  async trim(): Promise<void> {
    const below = await this.#below();
    if (below > this.#log.storage.extent.first) await this.#log.storage.trim(below);
  }

  #look(): void {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    this.#scope.spawn('trim', async () => {
      try {
        await this.trim();
      } finally {
        this.#isAtWork = false;
      }
    });
  }

  async #below(): Promise<number> {
    const { maxBytes, maxAgeMs } = this.#retention;
    const { storage, extent } = this.#log;
    const offsets = [extent.first];
    if (maxBytes !== undefined && extent.bytes > maxBytes) offsets.push(await storage.offsetWithin(maxBytes));
    if (maxAgeMs !== undefined)
      offsets.push(await storage.offsetAt(this.#scope.runtime.wallNow() - maxAgeMs));
    return Math.max(...offsets);
  }
}
