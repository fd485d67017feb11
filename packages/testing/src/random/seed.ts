import { deriveId, idToBytes, type UniqueId, uniqueId } from '@mosaik/primitives';
import { type Random, Sfc32 } from './sfc32.ts';

/**
 * The one seed of a world, and the streams of randomness that are split from it.
 *
 * The split: a stream is named by a label, and its state is the first 96 bits of `deriveId(seed, 'random', label)`, which is
 * BLAKE3. So a stream depends on the seed and on its own label and on nothing else: whoever adds a host, a path or
 * another consumer of chance adds a stream, and every other one gives the numbers it gave before.
 */
export class Seed {
  /** As the user gave it; printed with every failure. */
  readonly text: string;
  readonly #root: UniqueId;

  constructor(seed: number | string) {
    this.text = String(seed);
    this.#root = uniqueId(`mosaik world seed ${this.text}`);
  }

  /** The stream of this label, from its beginning. */
  stream(label: string): Random {
    const bytes = idToBytes(deriveId(this.#root, 'random', label));
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return new Sfc32([view.getInt32(0), view.getInt32(4), view.getInt32(8)]);
  }

  /** An id that follows from the seed and a label. */
  id<Id extends UniqueId>(label: string): Id {
    return deriveId<Id>(this.#root, 'id', label);
  }
}
