import { textCodec } from '@mosaik/primitives';
import sorted from 'sorted-btree';
import { ByteReader, ByteWriter } from '../../bytes.ts';

/** What a key holds. */
export interface Cell {
  /** The log index that wrote it. */
  readonly version: number;
  /** The value, encoded. */
  readonly bytes: Uint8Array;
}

/** Cells by key, ascending; cloned in O(1), copied where it is written (B+ tree, copy on write). */
export type MapTree = sorted.default<string, Cell>;

// The package is CommonJS: Node hands out the module, bundlers may hand out its default export.
const Tree: typeof sorted.default = 'default' in sorted ? sorted.default : sorted;

/** Of a snapshot: a machine's own chunk ends with the cell that exceeds it. */
const CHUNK_BYTES = 64 * 1024;

/** The state of the replicated map. A snapshot of it is a clone, written while the original goes on. */
export class MapState {
  readonly tree: MapTree = new Tree<string, Cell>(undefined, compareKeys);

  snapshot(): Iterable<Uint8Array> {
    return chunksOf(this.tree.clone());
  }

  /** @throws {DecodeError} */
  static async restore(chunks: AsyncIterable<Uint8Array>): Promise<MapState> {
    const state = new MapState();
    for await (const chunk of chunks) {
      const reader = new ByteReader(chunk);
      while (reader.remaining > 0) {
        const key = textCodec.decode(reader.sized());
        state.tree.set(key, { version: reader.varint(), bytes: reader.sized() });
      }
    }
    return state;
  }
}

function* chunksOf(tree: MapTree): Generator<Uint8Array, void, void> {
  let writer = new ByteWriter(CHUNK_BYTES);
  for (const [key, { version, bytes }] of tree.entries()) {
    writer.sized(textCodec.encode(key));
    writer.varint(version);
    writer.sized(bytes);
    if (writer.length < CHUNK_BYTES) continue;
    yield writer.finish();
    writer = new ByteWriter(CHUNK_BYTES);
  }
  if (writer.length > 0) yield writer.finish();
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
