import type { Sequence } from '@mosaik/streams';
import type { Link } from '@mosaik/transport';
import { type DamagedRange, LogStorageError } from '../log/errors.ts';
import type { KeptBlock } from '../log/log-storage.ts';
import { encodeOpened, encodeReached, encodeSkipped, encodeTime } from '../wire/messages.ts';
import type { KeptLog } from './kept-log.ts';

/** What is read from storage at once for one reader. */
const READ_BYTES = 256 * 1024;

/** Who reads what, and over which link. */
export interface Reading {
  readonly log: KeptLog;
  readonly link: Link<Uint8Array>;
  readonly from: Sequence;
  /** The end of what was asked for; undefined to go on with what comes. */
  readonly to: Sequence | undefined;
  readonly onSent: (block: KeptBlock) => void;
  readonly onDamaged: (range: DamagedRange) => void;
}

/**
 * Sends the blocks of a log from an offset on, at the pace of the reader: from storage while it is far behind, from memory
 * when it is close, and when it is at the end, as they become durable.
 *
 * @throws {LinkEndedError} when the reader is gone.
 * @throws {LogStorageError} when the log cannot be read.
 */
export async function serveReading(reading: Reading, signal: AbortSignal): Promise<void> {
  const { log, link, from, to } = reading;
  const { first, next } = log.extent;
  await link.sendEncoded(encodeOpened({ first, next }), { signal });
  const end = to === undefined ? Number.POSITIVE_INFINITY : Math.min(to, next);
  const pass = new Pass(reading, from);
  while (pass.position < end && !signal.aborted) {
    const found = await read(log, pass.position);
    if ('first' in found) await pass.skip(found, reading.onDamaged, signal);
    else if (found.length > 0) await pass.send(found, end, signal);
    else await pass.wait(signal);
  }
  if (!signal.aborted) await link.sendEncoded(encodeReached(pass.position), { signal });
}

/** Blocks from `position` on, or what is damaged there; what is before the damage comes first. */
async function read(log: KeptLog, position: Sequence): Promise<readonly KeptBlock[] | DamagedRange> {
  for (const maxBytes of [READ_BYTES, 1]) {
    try {
      return await log.read(position, maxBytes);
    } catch (error) {
      const damaged = error instanceof LogStorageError ? error.damaged : undefined;
      if (damaged === undefined || damaged.next <= position) throw error;
      if (damaged.first <= position) return damaged;
    }
  }
  throw new LogStorageError('damaged', `nothing can be read from ${position} on`);
}

/** One way through a log. */
class Pass {
  readonly #reading: Reading;
  #position: Sequence;
  #timeMs = -1;
  #isEndTold = false;

  constructor(reading: Reading, from: Sequence) {
    this.#reading = reading;
    this.#position = from;
  }

  /** Everything below has been sent, or is not kept. */
  get position(): Sequence {
    return this.#position;
  }

  async send(blocks: readonly KeptBlock[], end: Sequence, signal: AbortSignal): Promise<void> {
    const { log, link, onSent } = this.#reading;
    for (const block of blocks) {
      if (this.#position >= end) return;
      // What was removed meanwhile is not sent any more, also where its block is still there.
      const begin = Math.max(block.first, log.extent.first);
      if (begin >= block.next) continue;
      if (begin > this.#position) await link.sendEncoded(encodeSkipped(begin), { signal });
      if (block.timeMs !== this.#timeMs) await link.sendEncoded(encodeTime(block.timeMs), { signal });
      this.#timeMs = block.timeMs;
      await link.sendEncoded(block.bytes, { signal });
      onSent(block);
      this.#position = block.next;
    }
  }

  /** What is damaged here may be whole elsewhere: the reader is told that it is not here. */
  async skip({ next }: DamagedRange, onDamaged: Reading['onDamaged'], signal: AbortSignal): Promise<void> {
    onDamaged({ first: this.#position, next });
    this.#position = next;
    await this.#reading.link.sendEncoded(encodeSkipped(next), { signal });
  }

  /** At the end: says so once, and waits for more. */
  async wait(signal: AbortSignal): Promise<void> {
    const { log, link } = this.#reading;
    const { first } = log.extent;
    if (first > this.#position) {
      // Everything was removed before it was sent.
      await link.sendEncoded(encodeSkipped(first), { signal });
      this.#position = first;
    }
    const position = this.#position;
    if (!this.#isEndTold) {
      this.#isEndTold = true;
      await link.sendEncoded(encodeReached(position), { signal });
    }
    await log.reaches(position, { signal });
  }
}
