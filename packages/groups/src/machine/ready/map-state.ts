import { textCodec } from '@mosaik/primitives';
import sorted from 'sorted-btree';
import { ByteReader, ByteWriter } from '../../bytes.ts';
import { SmallBytes } from './small-bytes.ts';

/** What a key holds. */
export interface Cell {
  /** The log index that wrote it. */
  readonly version: number;
  /** The value, encoded. Never written to. */
  readonly bytes: Uint8Array;
}

/** Changed in place as long as no snapshot has it: to find it is then all that a put costs. */
interface OwnCell extends Cell {
  version: number;
  bytes: Uint8Array;
  /** How many snapshots there had been when it was made. */
  readonly snapshots: number;
}

// The package is CommonJS: Node hands out the module, bundlers may hand out its default export.
const Tree: typeof sorted.default = 'default' in sorted ? sorted.default : sorted;

/** Of a snapshot: a machine's own chunk ends with the cell that exceeds it. */
const CHUNK_BYTES = 64 * 1024;

/**
 * The state of the replicated map: cells by key, ascending, in a B+ tree that is cloned in O(1) and copied where it is written.
 * A snapshot is a clone, written while the original goes on.
 *
 * Invariant: a cell that a clone has is not changed any more, but replaced.
 */
export class MapState {
  readonly #tree: sorted.default<string, OwnCell> = new Tree<string, OwnCell>(undefined, compareKeys);
  readonly #small = new SmallBytes();
  #snapshots = 0;

  get(key: string): Cell | undefined {
    return this.#tree.get(key);
  }

  /** Cells from a key on. */
  entries(from: string): Iterable<[string, Cell]> {
    return this.#tree.entries(from);
  }

  /** Puts a copy of an encoded value; returns the one before. */
  put(key: string, value: Uint8Array, version: number): Uint8Array | undefined {
    const bytes = this.#small.copyOf(value);
    const cell = this.#tree.get(key);
    const before = cell?.bytes;
    if (cell !== undefined && cell.snapshots === this.#snapshots) {
      cell.bytes = bytes;
      cell.version = version;
    } else {
      this.#tree.set(key, { version, bytes, snapshots: this.#snapshots });
    }
    return before;
  }

  delete(key: string): void {
    this.#tree.delete(key);
  }

  snapshot(): Iterable<Uint8Array> {
    this.#snapshots++;
    return chunksOf(this.#tree.clone());
  }

  /** @throws {DecodeError} */
  static async restore(chunks: AsyncIterable<Uint8Array>): Promise<MapState> {
    const state = new MapState();
    for await (const chunk of chunks) {
      const reader = new ByteReader(chunk);
      while (reader.remaining > 0) {
        const key = textCodec.decode(reader.sized());
        const version = reader.varint();
        state.put(key, reader.sized(), version);
      }
    }
    return state;
  }
}

function* chunksOf(tree: sorted.default<string, Cell>): Generator<Uint8Array, void, void> {
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
