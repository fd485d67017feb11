/** Saves snapshots, one after the other: chunk by chunk, so that what is appended meanwhile does not wait for all of it. */
import { LogStorageError } from '../log/errors.ts';
import type { StoreWorkers } from './store-workers.ts';

const CHUNK_BYTES = 1024 * 1024;

export class SnapshotSaver {
  readonly #workers: StoreWorkers;
  /** Settles with the last that was asked for. */
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(workers: StoreWorkers) {
    this.#workers = workers;
  }

  save(fold: string, snapshot: Uint8Array): Promise<void> {
    const saved = this.#last.then(() => this.#save(fold, snapshot));
    this.#last = saved.catch(() => {});
    return saved;
  }

  async #save(fold: string, snapshot: Uint8Array): Promise<void> {
    const number = await this.#workers.stageSnapshot();
    try {
      await this.#write(number, { fold, snapshot });
    } catch (error) {
      // What cannot be said to the writer now is found when the store is opened.
      await this.#workers.discardSnapshot(number).catch(() => {});
      throw error;
    }
  }

  async #write(number: number, { fold, snapshot }: { fold: string; snapshot: Uint8Array }): Promise<void> {
    let chunks = 0;
    for (let offset = 0; offset < snapshot.length; offset += CHUNK_BYTES) {
      if (this.#isClosed) throw new LogStorageError('closed', 'the store of logs is closed');
      const chunk = Uint8Array.from(snapshot.subarray(offset, offset + CHUNK_BYTES));
      await this.#workers.writeChunk(number, chunks++, chunk);
    }
    await this.#workers.saveSnapshot(fold, { snapshot: number, chunks, bytes: snapshot.length });
  }

  /** Gives up what is being saved. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
  }
}
