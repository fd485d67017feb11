import {
  DecodeError,
  decodeCbor,
  encodeCbor,
  ID_BYTES,
  idFromBytes,
  idToBytes,
  type PeerId,
} from '@mosaik/primitives';
import type { Rumour } from '../detector/contract.ts';
import { MAX_ENTRY_BYTES } from '../entry/signed-entry.ts';

/** What travels on the gossip topic `discovery`. */
export type GossipMessage =
  | { readonly kind: 'entry'; readonly bytes: Uint8Array }
  | { readonly kind: 'rumour'; readonly rumour: Rumour }
  /** Two processes run with one key: told by the one that started first, meant for the other. */
  | { readonly kind: 'twice'; readonly peer: PeerId; readonly starts: readonly [number, number] };

const ENTRY = 1;
const SUSPECT = 2;
const DEAD = 3;
const TWICE = 4;

const DECODE_OPTIONS = {
  maxBytes: MAX_ENTRY_BYTES + 64,
  maxDepth: 3,
  maxItems: 16,
  int64: 'number',
  copyBytes: false,
} as const;

export function encodeGossip(message: GossipMessage): Uint8Array {
  switch (message.kind) {
    case 'entry':
      return encodeCbor([ENTRY, message.bytes]);
    case 'rumour': {
      const { kind, peer, version, by } = message.rumour;
      const code = kind === 'dead' ? DEAD : SUSPECT;
      return encodeCbor([code, idToBytes(peer), version.start, version.update, idToBytes(by)]);
    }
    case 'twice':
      return encodeCbor([TWICE, idToBytes(message.peer), ...message.starts]);
  }
}

/**
 * Reads a message; an entry in it is a view of `data`.
 *
 * @throws {DecodeError} for anything else.
 */
export function decodeGossip(data: Uint8Array): GossipMessage {
  const fields = decodeCbor(data, DECODE_OPTIONS);
  if (!Array.isArray(fields)) throw new DecodeError('schema', 'a gossip message is an array');
  const [code, first, second, third, fourth] = fields;
  switch (code) {
    case ENTRY:
      if (first instanceof Uint8Array) return { kind: 'entry', bytes: first };
      break;
    case SUSPECT:
    case DEAD: {
      const version = { start: time(second), update: time(third) };
      const kind = code === DEAD ? 'dead' : 'suspect';
      return { kind: 'rumour', rumour: { kind, peer: peerOf(first), version, by: peerOf(fourth) } };
    }
    case TWICE:
      return { kind: 'twice', peer: peerOf(first), starts: [time(second), time(third)] };
  }
  throw new DecodeError('schema', `no gossip message of kind ${String(code)}`);
}

function peerOf(value: unknown): PeerId {
  if (value instanceof Uint8Array && value.length === ID_BYTES) return idFromBytes<PeerId>(value);
  throw new DecodeError('schema', 'a peer id has 32 bytes');
}

function time(value: unknown): number {
  // A tombstone of a fraction would have every comparison that mentions it refused as malformed.
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new DecodeError('schema', 'a time is a whole number of 0 or more');
}
