import type { Runtime } from '@mosaik/primitives';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Incarnation } from './storage.ts';

/** Bytes of an incarnation: two of a million logs share one with a probability of 10^-27. */
export const INCARNATION_BYTES = 16;

/** Draws the incarnation of a new log. */
export function createIncarnation(runtime: Pick<Runtime, 'randomBytes'>): Incarnation {
  return bytesToHex(runtime.randomBytes(INCARNATION_BYTES)) as Incarnation;
}
