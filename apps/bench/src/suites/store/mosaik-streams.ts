import { type StreamDefinition, stream } from '@mosaik/streams';
import { type Datum, datumCodec } from '../streams/payload.ts';

export const Appended: StreamDefinition<Datum> = stream<Datum>('bench.appended', { codec: datumCodec });
export const Folded: StreamDefinition<Datum> = stream<Datum>('bench.folded', { codec: datumCodec });
export const Replayed: StreamDefinition<Datum> = stream<Datum>('bench.replayed', { codec: datumCodec });
