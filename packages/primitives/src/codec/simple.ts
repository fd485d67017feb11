import { malformed } from './head.ts';
import { readArgument, readFloat32, readFloat64, source } from './source.ts';

/** What is neither a string nor a container nor an integer: the value that these low bits, and what may follow, stand for. */
export function readSimple(low: number): unknown {
  switch (low) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
      return null;
    case 23:
      return undefined;
    case 25:
      return ofHalf(readArgument(low));
    case 26:
      return readFloat32();
    case 27:
      return readFloat64();
    default:
      throw malformed('a simple value that is not exchanged', source.at - 1);
  }
}

/** The value of a 16-bit float (IEEE 754 binary16). */
function ofHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (0x400 | fraction) * 2 ** (exponent - 25);
}
