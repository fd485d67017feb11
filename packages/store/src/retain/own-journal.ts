import type { Runtime } from '@mosaik/primitives';
import type { Block, Epoch, Journal, Sequence } from '@mosaik/streams';
import type { KeptLog } from '../serve/kept-log.ts';

/** Keeps what a producer sends in its log, before anybody else gets it. */
export class OwnJournal implements Journal {
  readonly #log: KeptLog;
  readonly #runtime: Pick<Runtime, 'wallNow'>;
  readonly #onKept: (block: Block) => void;
  #newestMs: number;

  constructor(log: KeptLog, runtime: Pick<Runtime, 'wallNow'>, onKept: (block: Block) => void) {
    this.#log = log;
    this.#runtime = runtime;
    this.#onKept = onKept;
    this.#newestMs = log.extent.newestMs;
  }

  get epoch(): Epoch {
    return this.#log.identity.log;
  }

  get next(): Sequence {
    return this.#log.takenNext;
  }

  append(block: Block): Promise<void> | undefined {
    // A clock may be set back; the times of a log never go back.
    this.#newestMs = Math.max(this.#newestMs, Math.floor(this.#runtime.wallNow()));
    const { bytes, first, next, count } = block;
    this.#onKept(block);
    return this.#log.append({ bytes, first, next, count, timeMs: this.#newestMs });
  }
}
