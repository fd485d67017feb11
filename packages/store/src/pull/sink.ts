import type { Sequence } from '@mosaik/streams';
import type { KeptBlock } from '../log/log-storage.ts';

/** Where the data of one log go: in order, each once, nothing missing but what is told as a gap. */
export interface Sink {
  /** Takes a block; data below `from` are not wanted. The source waits for the promise. */
  take(block: KeptBlock, from: Sequence): Promise<void> | undefined;
  /** What lies between is not kept by anybody any more; `to` is undefined when where it ends is not known. */
  gap(from: Sequence, to: Sequence | undefined): Promise<void> | undefined;
  /** Everything that there was has been given; told once. */
  caughtUp(): Promise<void> | undefined;
  /** The source cannot go on, and has ended. */
  fail(error: Error): void;
}
