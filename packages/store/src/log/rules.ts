import type { Block } from '@mosaik/streams';
import { LogStorageError } from './errors.ts';
import type { KeptBlock, LogExtent } from './log-storage.ts';

/** Whether there is a datum for each place of a block, as the store wants it. */
export function isRun({ first, next, count }: Pick<Block, 'first' | 'next' | 'count'>): boolean {
  return count >= 1 && next - first === count;
}

/**
 * What every log checks before it takes a block.
 *
 * @param end the end of the blocks that were taken, durable or not; and the time of the last of them.
 * @throws {LogStorageError} `invalid`
 */
export function checkAppend(block: KeptBlock, end: Pick<LogExtent, 'next' | 'newestMs'>): void {
  if (!isRun(block)) throw invalid(`a block of ${block.count} data for ${block.first} to ${block.next}`);
  if (block.first < end.next) throw invalid(`a block at ${block.first}, after everything below ${end.next}`);
  if (!Number.isSafeInteger(block.timeMs) || block.timeMs < end.newestMs)
    throw invalid(`a block kept at ${block.timeMs} ms after one at ${end.newestMs} ms`);
}

function invalid(what: string): LogStorageError {
  return new LogStorageError('invalid', what);
}
