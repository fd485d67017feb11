export { encodeCanonical } from './canonical.ts';
export {
  bytesCodec,
  type CborCodecOptions,
  type Codec,
  cborCodec,
  type InPlaceCodec,
  inPlaceOf,
  type JsonCodecOptions,
  jsonCodec,
  textCodec,
  withInPlace,
} from './codec.ts';
export {
  cborDecoder,
  type DecodeLimits,
  type DecodeOptions,
  decodeCbor,
  decodeCborWithin,
} from './decode.ts';
export { encodeCbor, encodeCborInto } from './encode.ts';
export { DecodeError, type DecodeErrorDetails, type DecodeFailure, EncodeError } from './errors.ts';
export { validateSync } from './validate.ts';
