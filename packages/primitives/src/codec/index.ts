export { encodeCanonical } from './canonical.ts';
export { type DecodeOptions, decodeCbor, encodeCbor } from './cbor.ts';
export {
  bytesCodec,
  type CborCodecOptions,
  type Codec,
  cborCodec,
  type JsonCodecOptions,
  jsonCodec,
  textCodec,
} from './codec.ts';
export { DecodeError, type DecodeErrorDetails, type DecodeFailure, EncodeError } from './errors.ts';
export { type DecodeLimits, scanCbor } from './scan.ts';
export { validateSync } from './validate.ts';
