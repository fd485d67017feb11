import { createWatch, type PeerId, toError } from '@mosaik/primitives';
import type { Sequence } from '@mosaik/streams';
import type { KeptBlock, LogIdentity } from '../log/log-storage.ts';
import { ask, type Reach, receive, withLink } from './asking.ts';
import { eitherSignal } from './either.ts';
import type { Piece } from './gate.ts';

/** About what one holder is asked for at once. */
const CHUNK_BYTES = 1024 * 1024;

export interface RangePullOptions {
  readonly reach: Reach;
  readonly identity: LogIdentity;
  readonly from: Sequence;
  readonly to: Sequence;
  readonly peers: readonly PeerId[];
  /** On average, for cutting the range in parts. */
  readonly datumBytes: number;
  /** What may be held of parts that come before their turn. */
  readonly maxBuffer: number;
  /** Called in order; a block may reach back before what was delivered already. */
  readonly deliver: (block: KeptBlock) => Promise<unknown> | undefined;
  readonly onLacks: (peer: PeerId, from: Sequence, to: Sequence) => void;
  readonly onFailed: (peer: PeerId, error: Error) => void;
}

/** A part of the range. */
interface Part {
  /** Everything below has come. */
  position: Sequence;
  readonly to: Sequence;
  readonly blocks: KeptBlock[];
  isTaken: boolean;
}

/**
 * Pulls a range of a log from several holders at once: each takes the next part in turn, and what comes early waits, within a
 * bound. Ends when all is delivered, or nobody is left to ask; the caller sees from what was delivered how far it got.
 */
export class RangePull {
  readonly #options: RangePullOptions;
  readonly #partDatums: number;
  readonly #partsMax: number;
  /** Parts that are not delivered, in order; the first is delivered as it comes. */
  readonly #parts: Part[] = [];
  readonly #changes = createWatch(0);
  #nextPart: Sequence;
  #waitingBytes = 0;
  #workers = 0;

  constructor(options: RangePullOptions) {
    this.#options = options;
    this.#partDatums = Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, options.datumBytes)));
    this.#partsMax = Math.max(options.peers.length, Math.floor(options.maxBuffer / CHUNK_BYTES));
    this.#nextPart = options.from;
  }

  async run(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    using either = eitherSignal(signal, over.signal);
    const workers = this.#options.peers.map((peer) => this.#work(peer, either.signal));
    try {
      await this.#deliverAll(signal);
    } finally {
      over.abort();
      await Promise.all(workers);
    }
  }

  async #deliverAll(signal: AbortSignal): Promise<void> {
    while (true) {
      const part = this.#parts[0];
      const block = part?.blocks.shift();
      if (block !== undefined) {
        this.#waitingBytes -= block.bytes.length;
        await this.#options.deliver(block);
        this.#changed();
      } else if (part !== undefined && part.position >= part.to) {
        this.#parts.shift();
        this.#changed();
      } else if (this.#workers === 0 || (part === undefined && this.#nextPart >= this.#options.to)) {
        return;
      } else {
        await this.#change(signal);
      }
    }
  }

  async #work(peer: PeerId, signal: AbortSignal): Promise<void> {
    this.#workers++;
    let part: Part | undefined;
    try {
      await withLink(this.#options.reach, { peer, signal }, async (link) => {
        for (part = await this.#claim(signal); part !== undefined; part = await this.#claim(signal)) {
          const { reach, identity } = this.#options;
          const wanted = { identity, from: part.position, to: part.to };
          const session = await ask(reach, link, wanted, signal);
          if (session.opened.first > part.position) {
            this.#options.onLacks(peer, part.position, session.opened.first);
            return;
          }
          if (!(await this.#fetch(peer, session, part, signal))) return;
          if (part.position < part.to) throw new Error('a holder has less than it said');
        }
      });
    } catch (thrown) {
      if (!signal.aborted) this.#options.onFailed(peer, toError(thrown));
    } finally {
      // Somebody else goes on where it stands.
      if (part !== undefined) part.isTaken = false;
      this.#workers--;
      this.#changed();
    }
  }

  /** Takes what comes of a part; false when the holder does not have all of it. */
  async #fetch(
    peer: PeerId,
    session: Awaited<ReturnType<typeof ask>>,
    part: Part,
    signal: AbortSignal,
  ): Promise<boolean> {
    let isWhole = true;
    const isEnded = !(await receive(session, signal, (piece: Piece) => {
      if (piece.type === 'reached') return true;
      if (piece.type === 'skipped') {
        this.#options.onLacks(peer, piece.from, piece.to);
        isWhole = false;
        return true;
      }
      part.blocks.push(piece.block);
      part.position = piece.block.next;
      this.#waitingBytes += piece.block.bytes.length;
      this.#changed();
      return this.#room(part, signal);
    }));
    if (isEnded) throw new Error('the holder has ended');
    return isWhole;
  }

  /** Waits while too much is held that is not due; what is due always comes through. */
  #room(part: Part, signal: AbortSignal): Promise<boolean> | undefined {
    const hasRoom = (): boolean =>
      this.#waitingBytes <= this.#options.maxBuffer || (part === this.#parts[0] && part.blocks.length === 0);
    if (hasRoom()) return undefined;
    return this.#changes.until(hasRoom, { signal }).then(() => false);
  }

  /** The next part that nobody works at; undefined when there is none any more. */
  async #claim(signal: AbortSignal): Promise<Part | undefined> {
    while (!signal.aborted) {
      const left = this.#parts.find(({ isTaken, position, to }) => !isTaken && position < to);
      const part = left ?? this.#cut();
      if (part !== undefined) {
        part.isTaken = true;
        return part;
      }
      const isDone =
        this.#nextPart >= this.#options.to && this.#parts.every(({ position, to }) => position >= to);
      if (isDone) return undefined;
      await this.#change(signal);
    }
    return undefined;
  }

  #cut(): Part | undefined {
    const { to } = this.#options;
    if (this.#nextPart >= to || this.#parts.length >= this.#partsMax) return undefined;
    const end = Math.min(to, this.#nextPart + this.#partDatums);
    const part: Part = { position: this.#nextPart, to: end, blocks: [], isTaken: false };
    this.#parts.push(part);
    this.#nextPart = end;
    return part;
  }

  async #change(signal: AbortSignal): Promise<void> {
    const count = this.#changes.value;
    await this.#changes.until((value) => value !== count, { signal });
  }

  #changed(): void {
    this.#changes.update((count) => count + 1);
  }
}
