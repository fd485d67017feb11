import { DecodeError, type PeerId, type StoreId, shortId, toError, withTimeout } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { blake3 } from '@noble/hashes/blake3.js';
import { ANSWER_MS, type Reach, unanswered, withLink } from '../pull/asking.ts';
import {
  CHUNK_BYTES,
  decodeChunk,
  decodeSnapshotHead,
  encodeAskSnapshot,
  type SnapshotHead,
} from '../wire/snapshots.ts';
import { coveredBy, isSameHash } from './snapshot.ts';

/** Chunks that one holder is asked for at once. */
const RUN_CHUNKS = 8;

/** What a holder offers. */
export interface HeldSnapshot {
  readonly peer: PeerId;
  readonly head: SnapshotHead;
}

export interface FetchOptions {
  readonly reach: Reach;
  readonly fold: StoreId;
  readonly signal: AbortSignal;
  readonly onRefused: (peer: PeerId, error: Error) => void;
}

/** Asks holders for the heads of their newest snapshots, all at once; who has none or does not answer is left out. */
export async function askHeads(options: FetchOptions, peers: readonly PeerId[]): Promise<HeldSnapshot[]> {
  const { reach, fold, signal, onRefused } = options;
  const heads = await Promise.all(
    peers.map(async (peer): Promise<HeldSnapshot | undefined> => {
      try {
        const head = await withLink(reach, { peer, signal }, (link) =>
          askHead({ reach, link, signal }, { fold, hash: undefined, from: 0, to: 0 }),
        );
        return head && { peer, head };
      } catch (thrown) {
        if (!signal.aborted) onRefused(peer, toError(thrown));
        return undefined;
      }
    }),
  );
  return heads.filter((held) => held !== undefined);
}

/** The snapshot that covers most, and all who have this very one. */
export function newestOf(
  held: readonly HeldSnapshot[],
): { readonly head: SnapshotHead; readonly peers: readonly PeerId[] } | undefined {
  const [first, ...others] = held;
  if (first === undefined) return undefined;
  const best = others.reduce(
    (newest, other) => (coveredBy(other.head.positions) > coveredBy(newest.head.positions) ? other : newest),
    first,
  );
  const same = held.filter(({ head }) => isSameHash(head.hash, best.head.hash));
  return { head: best.head, peers: same.map(({ peer }) => peer) };
}

/**
 * Takes a snapshot from all who have it, in chunks that are checked as they come; undefined when not all of them could be had.
 */
export async function fetchSnapshot(
  options: FetchOptions,
  { head, peers }: { readonly head: SnapshotHead; readonly peers: readonly PeerId[] },
): Promise<Uint8Array | undefined> {
  const data = new Uint8Array(head.bytes);
  const missing = head.chunks.map((_, index) => index);
  const fetch = new Fetch(options, head, data, missing);
  await Promise.all(peers.map((peer) => fetch.work(peer)));
  if (missing.length > 0 || !isSameHash(blake3(data), head.hash)) return undefined;
  return data;
}

/** One snapshot on its way. */
class Fetch {
  readonly #options: FetchOptions;
  readonly #head: SnapshotHead;
  readonly #data: Uint8Array;
  readonly #missing: number[];

  constructor(options: FetchOptions, head: SnapshotHead, data: Uint8Array, missing: number[]) {
    this.#options = options;
    this.#head = head;
    this.#data = data;
    this.#missing = missing;
  }

  /** Takes runs of chunks from one holder, for as long as there are any and it is of use. */
  async work(peer: PeerId): Promise<void> {
    const { reach, signal, onRefused } = this.#options;
    let run: number[] = [];
    try {
      await withLink(reach, { peer, signal }, async (link) => {
        for (run = this.#next(); run.length > 0; run = this.#next()) await this.#take(link, run);
      });
    } catch (thrown) {
      this.#missing.push(...run);
      if (!signal.aborted) onRefused(peer, toError(thrown));
    }
  }

  /** Chunks in a row that nobody has been asked for. */
  #next(): number[] {
    this.#missing.sort((a, b) => a - b);
    const first = this.#missing[0] as number;
    const end = this.#missing.findIndex((index, at) => at >= RUN_CHUNKS || index !== first + at);
    return this.#missing.splice(0, end < 0 ? this.#missing.length : end);
  }

  /** Takes the chunks of a run, which it empties as they come. */
  async #take(link: Link<Uint8Array>, run: number[]): Promise<void> {
    const { reach, fold, signal } = this.#options;
    const { hash } = this.#head;
    const [from] = run as [number];
    const head = await askHead({ reach, link, signal }, { fold, hash, from, to: from + run.length });
    if (head === undefined || !isSameHash(head.hash, hash))
      throw new Error('the holder has another snapshot by now');
    while (run.length > 0) {
      const index = run[0] as number;
      this.#put(index, decodeChunk(await nextMessage({ reach, link, signal })));
      run.shift();
    }
  }

  #put(index: number, chunk: Uint8Array): void {
    const at = index * CHUNK_BYTES;
    const bytes = Math.min(CHUNK_BYTES, this.#head.bytes - at);
    if (chunk.length !== bytes || !isSameHash(blake3(chunk), this.#head.chunks[index] as Uint8Array))
      throw new DecodeError('malformed', `chunk ${index} is not what its hash says`);
    this.#data.set(chunk, at);
  }
}

interface Asked {
  readonly reach: Reach;
  readonly link: Link<Uint8Array>;
  readonly signal: AbortSignal;
}

async function askHead(
  asked: Asked,
  question: Pick<Parameters<typeof encodeAskSnapshot>[0], 'fold' | 'hash' | 'from' | 'to'>,
): Promise<SnapshotHead | undefined> {
  const { reach, link, signal } = asked;
  await link.sendEncoded(encodeAskSnapshot({ ...question, entry: reach.signedMe() }), { signal });
  return decodeSnapshotHead(await nextMessage(asked));
}

async function nextMessage({ reach, link, signal }: Asked): Promise<Uint8Array> {
  const limits = { what: `an answer of ${shortId(link.peer)}`, timeoutMs: ANSWER_MS, signal };
  const message = await withTimeout(reach.runtime, limits, (limit) => link.receive({ signal: limit }));
  if (message === undefined) throw unanswered(link);
  return message;
}
