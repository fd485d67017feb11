import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

/** Bytes of hexadecimal text, in which spaces may set things apart. */
export function hex(text: string): Uint8Array {
  return hexToBytes(text.replaceAll(' ', ''));
}

export const toHex: (bytes: Uint8Array) => string = bytesToHex;
