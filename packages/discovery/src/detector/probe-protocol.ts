import {
  type Codec,
  DecodeError,
  decodeCbor,
  encodeCbor,
  ID_BYTES,
  idFromBytes,
  idToBytes,
  type PeerId,
} from '@mosaik/primitives';
import { type Protocol, protocol } from '@mosaik/transport';

/** When two processes with one key started, in ms of the wall clock, in either order. */
export type Starts = readonly [number, number];

/**
 * What is said on a link of probes. The side that opened it says `hello`, asks, and announces a prune; the other one
 * answers. `twice` goes either way.
 */
export type ProbeMessage =
  /** `[0, start]`: the process that asks here started then. */
  | { readonly kind: 'hello'; readonly start: number }
  /** `[sequence]` of this node, `[sequence, target]` of another. */
  | { readonly kind: 'ask'; readonly sequence: number; readonly target: PeerId | undefined }
  /** `[sequence, true or false]`. */
  | { readonly kind: 'answer'; readonly sequence: number; readonly isAlive: boolean }
  /**
   * `[0, [start, start]]`: two processes seem to run with the key of who asks here. The asker that is one of them says
   * the same back, which proves that it lives.
   */
  | { readonly kind: 'twice'; readonly starts: Starts }
  /** `[0, null]`: the sender lives on, but closes this connection, of which it has too many. */
  | { readonly kind: 'prune' };

const DECODE_OPTIONS = { maxBytes: 128, maxDepth: 3, maxItems: 8, int64: 'number' } as const;

export const probeCodec: Codec<ProbeMessage> = {
  name: 'probe',
  encode(message) {
    switch (message.kind) {
      case 'hello':
        return encodeCbor([0, message.start]);
      case 'ask':
        return encodeCbor(
          message.target ? [message.sequence, idToBytes(message.target)] : [message.sequence],
        );
      case 'answer':
        return encodeCbor([message.sequence, message.isAlive]);
      case 'twice':
        return encodeCbor([0, message.starts]);
      case 'prune':
        return encodeCbor([0, null]);
    }
  },
  decode(bytes) {
    const fields = decodeCbor(bytes, DECODE_OPTIONS);
    const [sequence, second] = Array.isArray(fields) ? fields : [];
    if (typeof sequence !== 'number') throw new DecodeError('schema', 'a probe begins with its number');
    return readProbe(sequence, second);
  },
};

function readProbe(sequence: number, second: unknown): ProbeMessage {
  if (second === null) return { kind: 'prune' };
  if (second === undefined) return { kind: 'ask', sequence, target: undefined };
  if (typeof second === 'boolean') return { kind: 'answer', sequence, isAlive: second };
  if (typeof second === 'number') return { kind: 'hello', start: readStart(second) };
  if (Array.isArray(second)) return { kind: 'twice', starts: readStarts(second) };
  if (second instanceof Uint8Array && second.length === ID_BYTES) {
    return { kind: 'ask', sequence, target: idFromBytes<PeerId>(second) };
  }
  throw new DecodeError('schema', 'a probe is of a peer id or of nobody');
}

function readStarts([first, second]: readonly unknown[]): Starts {
  return [readStart(first), readStart(second)];
}

function readStart(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new DecodeError('schema', 'a start is a whole number of 0 or more');
}

export const probeProtocol: Protocol<ProbeMessage> = protocol({
  name: 'discovery/probe',
  codec: probeCodec,
  priority: 'control',
  maxFrameBytes: 256,
});
