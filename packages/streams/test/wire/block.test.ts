import { type Codec, cborCodec, DecodeError, EncodeError } from '@mosaik/primitives';
import { giveBack } from '@mosaik/transport/link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, type Block, BlockCursor, BlockWriter, scanBlock } from '../../src/wire/block.ts';

type Place = readonly [sequence: number, datum: number[]];

/** Data with places left out between them. */
const places: fc.Arbitrary<Place[]> = fc
  .tuple(
    fc.nat({ max: 2 ** 40 }),
    fc.array(fc.tuple(fc.nat({ max: 300 }), fc.uint8Array({ maxLength: 300 })), {
      minLength: 1,
      maxLength: 40,
    }),
  )
  .map(([first, steps]) => {
    let next = first;
    return steps.map(([skipped, datum]) => {
      const sequence = next + skipped;
      next = sequence + 1;
      return [sequence, [...datum]] as const;
    });
  });

function write(writer: BlockWriter, data: readonly Place[]): Block {
  for (const [sequence, datum] of data) writer.append(sequence, Uint8Array.from(datum));
  return writer.seal();
}

function read(block: Block): Place[] {
  const cursor = new BlockCursor(block);
  const data: Place[] = [];
  while (!cursor.isDone) {
    const datum = [...cursor.take()];
    data.push([cursor.sequence, datum]);
  }
  return data;
}

/** Values whose encodings are of very different length, up to more than a slab. */
const values: fc.Arbitrary<unknown[]> = fc.array(
  fc.oneof(
    fc.record({ n: fc.nat(), s: fc.string({ maxLength: 200 }) }),
    fc.nat({ max: 400_000 }).map((size) => ({ body: new Uint8Array(size) })),
    fc.nat({ max: 500 }).map((count) => Array.from({ length: count }, (_, index) => `item ${index}`)),
  ),
  { minLength: 1, maxLength: 40 },
);

describe('encoding data in a block', () => {
  const inPlace = cborCodec<unknown>();
  const elsewhere: Codec<unknown> = { name: 'cbor', encode: inPlace.encode, decode: inPlace.decode };

  it.each([
    ['in place', inPlace],
    ['elsewhere', elsewhere],
  ])('%s gives the same as appending them, block after block', (_, codec) => {
    fc.assert(
      fc.property(values, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (data, seals) => {
        const [appending, encoding] = [new BlockWriter(), new BlockWriter()];
        const blocks: [Uint8Array, Uint8Array][] = [];
        for (const [sequence, datum] of data.entries()) {
          const encoded = codec.encode(datum);
          appending.append(sequence, encoded);
          if (encoding.encode(sequence, datum, codec) !== encoded.length) return false;
          if (seals[sequence] === true) blocks.push([appending.seal().bytes, encoding.seal().bytes]);
        }
        blocks.push([appending.seal().bytes, encoding.seal().bytes]);
        // Compared at the end: what was sealed must not be written to by what followed.
        return blocks.every(([expected, actual]) => Buffer.from(expected).equals(actual));
      }),
      { numRuns: 60 },
    );
  });

  it('has the memory of its blocks back when all have been given back, and not before', () => {
    const writer = new BlockWriter({ isLending: true });
    const blocks: Block[] = [];
    for (let sequence = 0; sequence < 40; sequence++) {
      writer.encode(sequence, { body: new Uint8Array(30_000).fill(sequence) }, inPlace);
      if (!writer.isFull) continue;
      const block = writer.seal();
      block.loan?.give(block.bytes.length);
      blocks.push(block);
    }
    const lent = blocks.filter(({ loan }) => loan !== undefined);
    expect(lent.length).toBeGreaterThan(blocks.length / 2);
    const isGone = ({ bytes }: Block): boolean => (bytes.buffer as ArrayBuffer).detached;
    // The last slab is still being written to.
    const slabs = [...new Set(lent.map(({ bytes }) => bytes.buffer))].slice(0, -1);
    expect(slabs.length).toBeGreaterThan(2);
    for (const slab of slabs) {
      const shared = lent.filter(({ bytes }) => bytes.buffer === slab);
      for (const block of shared) {
        expect(shared.some(isGone)).toBe(false);
        giveBack(block.bytes);
      }
      expect(shared.every(isGone)).toBe(true);
    }
    expect(lent.filter(isGone).every(({ bytes }) => slabs.includes(bytes.buffer))).toBe(true);
  });

  it('adds nothing when the codec throws, and goes on', () => {
    const writer = new BlockWriter();
    expect(() => writer.encode(0, { no: (): void => {} }, inPlace)).toThrow(EncodeError);
    expect(writer.isEmpty).toBe(true);
    writer.encode(0, 'first', inPlace);
    expect(() => writer.encode(1, Symbol('no'), inPlace)).toThrow(EncodeError);
    writer.encode(1, 'second', inPlace);
    const cursor = new BlockCursor(scanBlock(writer.seal().bytes));
    expect([inPlace.decode(cursor.take()), inPlace.decode(cursor.take()), cursor.isDone]).toEqual([
      'first',
      'second',
      true,
    ]);
  });

  it('refuses a datum that adds another one while it is encoded', () => {
    const writer = new BlockWriter();
    const datum = {
      get nested(): string {
        writer.encode(1, 'inner', inPlace);
        return 'outer';
      },
    };
    expect(() => writer.encode(0, datum, inPlace)).toThrow('while it is encoded');
    expect(writer.encode(0, 'after', inPlace)).toBe(6);
  });

  it('refuses a datum that no message holds', () => {
    const writer = new BlockWriter();
    const huge = { body: new Uint8Array(16 * 1024 * 1024) };
    for (const codec of [inPlace, elsewhere]) {
      expect(() => writer.encode(0, huge, codec)).toThrow(EncodeError);
    }
    expect(writer.isEmpty).toBe(true);
  });
});

describe('a block', () => {
  it('comes back as it was written, places and all', () => {
    fc.assert(
      fc.property(places, (data) => {
        const written = write(new BlockWriter(), data);
        const scanned = scanBlock(written.bytes);
        expect(read(scanned)).toEqual(data);
        const [first] = data[0] as Place;
        const [last] = data.at(-1) as Place;
        expect(scanned).toMatchObject({ first, next: last + 1, count: data.length });
        expect(written).toMatchObject({ first, next: last + 1, count: data.length });
      }),
    );
  });

  it('stays as it is while its writer goes on, through many slabs', () => {
    fc.assert(
      fc.property(fc.array(places, { maxLength: 30 }), (runs) => {
        const writer = new BlockWriter();
        const blocks = runs.map((data) => write(writer, data));
        expect(blocks.map(read)).toEqual(runs);
      }),
      { numRuns: 30 },
    );
  });

  it('holds a datum larger than a slab', () => {
    const writer = new BlockWriter();
    writer.append(7, new Uint8Array(10));
    const large = new Uint8Array(3 * 1024 * 1024).fill(9);
    writer.append(8, large);
    const block = scanBlock(writer.seal().bytes);
    const cursor = new BlockCursor(block);
    cursor.take();
    expect(cursor.take()).toEqual(large);
    expect(cursor.sequence).toBe(8);
  });

  it('has the bytes that docs/wire.md says', () => {
    const block = write(new BlockWriter(), [
      [300, [1, 2]],
      [303, [3]],
    ]);
    expect([...block.bytes]).toEqual([3, 0xac, 0x02, 0, 2, 1, 2, 2, 1, 3]);
    const contiguous = new BlockWriter({ from: 300 });
    contiguous.append(302, Uint8Array.of(9));
    expect([...contiguous.seal(305).bytes]).toEqual([3, 0xac, 0x02, 2, 1, 9, 2]);
    expect([...contiguous.seal(309).bytes]).toEqual([3, 0xb1, 0x02, 4]);
  });

  it('is full at a frame, and may say that it covers more than its last datum', () => {
    const writer = new BlockWriter();
    let sequence = 0;
    while (!writer.isFull) writer.append(sequence++, new Uint8Array(1_000));
    expect(writer.bytes).toBeGreaterThanOrEqual(BLOCK_BYTES);
    expect(writer.bytes).toBeLessThan(BLOCK_BYTES + 1_010);
    const { bytes } = writer.seal(sequence + 50);
    expect(scanBlock(bytes)).toMatchObject({ next: sequence + 50, count: sequence });
    expect(writer.isEmpty).toBe(true);
  });

  it('begins where the one before it ended, if so wanted', () => {
    fc.assert(
      fc.property(fc.array(places, { minLength: 1, maxLength: 5 }), fc.nat({ max: 9 }), (runs, beyond) => {
        const writer = new BlockWriter({ from: 0 });
        let next = 0;
        for (const run of runs) {
          const data = run.map(([sequence, datum]) => [sequence + next, datum] as const);
          for (const [sequence, datum] of data) writer.append(sequence, Uint8Array.from(datum));
          const [last] = data.at(-1) as Place;
          const block = scanBlock(writer.seal(last + 1 + beyond).bytes);
          expect(block).toMatchObject({ first: next, next: last + 1 + beyond, count: data.length });
          expect(read(block)).toEqual(data);
          next = block.next;
        }
        const empty = scanBlock(writer.seal(next + 5).bytes);
        expect(empty).toMatchObject({ first: next, next: next + 5, count: 0 });
      }),
    );
  });

  it('whose datum is cut off, or whose places go beyond 2^53, is refused', () => {
    expect(() => scanBlock(Uint8Array.of(3, 0, 0, 5, 1, 2))).toThrow('cut off');
    const writer = new BlockWriter();
    writer.append(Number.MAX_SAFE_INTEGER, new Uint8Array(1));
    expect(() => scanBlock(writer.seal().bytes)).toThrow('2^53');
  });

  it('of any bytes can be walked through, or is refused as undecodable', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        let block: Block;
        try {
          block = scanBlock(Uint8Array.of(3, ...bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        const data = read(block);
        expect(data).toHaveLength(block.count);
        expect(
          data.reduce((last, [sequence]) => (sequence > last ? sequence : Number.NaN), -1),
        ).not.toBeNaN();
      }),
      { numRuns: 2_000 },
    );
  });

  it('with any byte changed is still walked through, or refused as undecodable', () => {
    fc.assert(
      fc.property(places, fc.nat(), fc.nat({ max: 255 }), (data, where, byte) => {
        const bytes = write(new BlockWriter(), data).bytes.slice();
        bytes[1 + (where % (bytes.length - 1))] = byte;
        try {
          const block = scanBlock(bytes);
          expect(read(block)).toHaveLength(block.count);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
