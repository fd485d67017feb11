import { type Codec, cborCodec } from '@mosaik/primitives';

/** What is sent: an object, new each time, so that encoding and decoding are part of the work. */
export interface Datum {
  readonly sequence: number;
}

export interface Payload {
  readonly name: PayloadName;
  /** The size of each datum when it is encoded. */
  readonly bytes: number;
  create(sequence: number): Datum;
}

export type PayloadName = '75B' | '1KiB' | '64KiB';

/** Numbers from here to 2^32 are encoded in 5 bytes each, so that all datums are of one size. */
const FIRST = 65_536;
/** What the encoding of a filled datum has besides its body: the names, the number, and the length of the body. */
const FILLED_BYTES = 23;

/** The same on both sides. */
export const datumCodec: Codec<Datum> = cborCodec<Datum>({ copyBytes: false });

/** What an exchange would tell of a trade. */
function trade(sequence: number): Datum & Record<string, unknown> {
  return {
    sequence: FIRST + sequence,
    symbol: 'ETHUSD',
    venue: 'krx',
    price: 64_123.25,
    size: 0.125,
    isBuy: true,
  };
}

function filled(name: PayloadName, bytes: number): Payload {
  const body = new Uint8Array(bytes - FILLED_BYTES).fill(7);
  return { name, bytes, create: (sequence) => ({ sequence: FIRST + sequence, body }) as Datum };
}

export const payloads: Readonly<Record<PayloadName, Payload>> = {
  '75B': { name: '75B', bytes: 75, create: trade },
  '1KiB': filled('1KiB', 1024),
  '64KiB': filled('64KiB', 65_536),
};
