import { describe, expect, it } from 'vitest';
import { datumCodec, payloads } from '../src/suites/streams/payload.ts';

describe.each(Object.values(payloads))('datums of $name', ({ bytes, create }) => {
  it('are of that size, from the first to the hundred millionth', () => {
    for (const sequence of [0, 1, 255, 65_536, 100_000_000])
      expect(datumCodec.encode(create(sequence)).byteLength).toBe(bytes);
  });

  it('differ, and survive the codec', () => {
    expect(create(1)).not.toEqual(create(2));
    expect(datumCodec.decode(datumCodec.encode(create(1)))).toEqual(create(1));
  });
});
