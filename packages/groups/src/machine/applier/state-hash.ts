import { type Runtime, yieldNow } from '@mosaik/primitives';
import type { LogIndex } from '../../raft/types.ts';
import { hashChunk, manifestOf } from '../../storage/manifest.ts';

/** The root that a snapshot of these chunks has. Others run between any two chunks, where there is a runtime. */
export async function hashOf(
  chunks: AsyncIterable<Uint8Array>,
  runtime: Runtime | undefined,
): Promise<Uint8Array> {
  const hashes: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    hashes.push(hashChunk(chunk));
    bytes += chunk.length;
    if (runtime !== undefined) await yieldNow(runtime);
  }
  return manifestOf(bytes, hashes).root;
}

interface HashesOptions {
  /** The indices that are multiples of this. */
  readonly every: number;
  /** Captures the state at the moment of the call. */
  readonly hash: () => Promise<Uint8Array>;
  readonly hashed: (index: LogIndex, hash: Uint8Array) => void;
  readonly failed: (index: LogIndex, thrown: unknown) => void;
}

/** Hashes under way at once: each may hold a copy of the state. */
const UNDER_WAY_MAX = 2;

/** Hashes the state at agreed indices, but for those that come while earlier ones are still hashed. */
export class AgreedHashes {
  readonly #options: HashesOptions;
  #underWay = 0;

  constructor(options: HashesOptions) {
    this.#options = options;
  }

  applied(index: LogIndex): void {
    if (this.#underWay === UNDER_WAY_MAX || index % this.#options.every !== 0) return;
    this.#underWay++;
    const { hash, hashed, failed } = this.#options;
    const over = (): void => {
      this.#underWay--;
    };
    hash().then(
      (bytes) => {
        over();
        hashed(index, bytes);
      },
      (thrown) => {
        over();
        failed(index, thrown);
      },
    );
  }
}
