import { bytesCodec, InvalidArgumentError, streamId } from '@mosaik/primitives';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import {
  type Consumer,
  type Producer,
  type StreamDefinition,
  type StreamInput,
  type StreamOutput,
  type Streams,
  stream,
} from '../src/index.ts';

interface Price {
  readonly symbol: string;
  readonly price: number;
}

/** What the two sides of a stream are, by types alone. */
declare const streams: Streams;
const sides = <In, Out>(
  definition: StreamDefinition<In, Out>,
): { send: Producer<In>; receive: Consumer<Out> } => ({
  send: streams.producer(definition),
  receive: streams.consumer(definition),
});
type Sides<D> = D extends StreamDefinition<infer In, infer Out> ? ReturnType<typeof sides<In, Out>> : never;

const zodPrice = z.object({ symbol: z.string(), price: z.number() });
const zodAt = z.object({
  at: z.string().transform((text) => new Date(text)),
  tag: z.string().default('none'),
});
const valibotPrice = v.object({ symbol: v.string(), price: v.number() });
const valibotAt = v.object({
  at: v.pipe(
    v.string(),
    v.transform((text) => new Date(text)),
  ),
});

describe('the definition of a stream', () => {
  it('has the id of its name, or the one given', () => {
    expect(stream('prices').id).toBe(streamId('prices'));
    expect(stream<Price>('prices', { id: streamId('others') }).id).toBe(streamId('others'));
    expect(stream<Uint8Array>('bytes', { codec: bytesCodec }).codec).toBe(bytesCodec);
    expect(stream('prices', zodPrice).schema).toBe(zodPrice);
    expect(stream('prices', { schema: valibotPrice, id: streamId('x') }).schema).toBe(valibotPrice);
  });

  it('is refused without a name, or with an id that is none', () => {
    expect(() => stream('')).toThrow(InvalidArgumentError);
    expect(() => stream('prices', { id: 'not an id' as never })).toThrow(InvalidArgumentError);
  });

  it('is the same on both sides without a schema', () => {
    const Prices = stream<Price>('prices');
    expectTypeOf(Prices).toEqualTypeOf<StreamDefinition<Price>>();
    expectTypeOf<StreamInput<typeof Prices>>().toEqualTypeOf<Price>();
    expectTypeOf<StreamOutput<typeof Prices>>().toEqualTypeOf<Price>();
    expectTypeOf<Sides<typeof Prices>>().toEqualTypeOf<{ send: Producer<Price>; receive: Consumer<Price> }>();
  });

  it('takes its types from a schema, of whatever library', () => {
    const byZod = stream('prices', zodPrice);
    const byValibot = stream('prices', valibotPrice);
    type Plain = { symbol: string; price: number };
    expectTypeOf<StreamInput<typeof byZod>>().toEqualTypeOf<Plain>();
    expectTypeOf<StreamOutput<typeof byZod>>().toEqualTypeOf<Plain>();
    expectTypeOf<StreamInput<typeof byValibot>>().toEqualTypeOf<Plain>();
    expectTypeOf<StreamOutput<typeof byValibot>>().toEqualTypeOf<Plain>();
  });

  it('has two types where a schema transforms', () => {
    const byZod = stream('at', { schema: zodAt });
    const byValibot = stream('at', valibotAt);
    expectTypeOf<StreamInput<typeof byZod>>().toEqualTypeOf<{ at: string; tag?: string | undefined }>();
    expectTypeOf<StreamOutput<typeof byZod>>().toEqualTypeOf<{ at: Date; tag: string }>();
    expectTypeOf<StreamInput<typeof byValibot>>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<StreamOutput<typeof byValibot>>().toEqualTypeOf<{ at: Date }>();
    expectTypeOf<Sides<typeof byValibot>['send']['send']>().parameter(0).toEqualTypeOf<{ at: string }>();
    expectTypeOf<Sides<typeof byValibot>['receive']['recv']>().returns.resolves.toEqualTypeOf<{ at: Date }>();
    expectTypeOf<Sides<typeof byZod>['receive']['readable']>().toEqualTypeOf<
      ReadableStream<{ at: Date; tag: string }>
    >();
  });

  it('holds criteria to the fields of what is sent', () => {
    const Prices = stream<Price>('prices');
    const consume = (): void => {
      streams.consumer(Prices, { criteria: { symbol: 'BTC', price: { $gte: 100 } } });
      streams.consumer(Prices, { criteria: { $or: [{ symbol: { $in: ['BTC', 'ETH'] } }, { 'a.b': 1 }] } });
      // @ts-expect-error: no such field.
      streams.consumer(Prices, { criteria: { volume: 3 } });
      // @ts-expect-error: of another type.
      streams.consumer(Prices, { criteria: { price: { $gt: 'cheap' } } });
      // @ts-expect-error: no such datum.
      void streams.producer(Prices).send({ symbol: 'BTC' });
    };
    expectTypeOf(consume).toBeFunction();
  });
});
