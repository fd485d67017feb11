import {
  type Consistency,
  cborCodec,
  type GroupKey,
  idFromBytes,
  type MapAnswer,
  type MapEntry,
  type MapQuery,
  type PeerId,
} from 'mosaik';
import { type Protocol, protocol } from 'mosaik/transport';
import * as v from 'valibot';

/** What goes over a link, in this order. */
export type ReadMessage =
  | { readonly type: 'nonce'; readonly nonce: Uint8Array }
  | {
      readonly type: 'ask';
      readonly map: string;
      readonly proof: string;
      readonly consistency: Consistency;
      readonly query: MapQuery;
    }
  | {
      readonly type: 'answer';
      readonly entries: readonly MapEntry<unknown>[];
      readonly more: boolean;
      readonly at: number;
    };

/**
 * Reads a map without being a member of its group, by asking one. On a link: the member sends a nonce, the reader its
 * question with a proof that it has the key of the group, the member the answer.
 */

export const NONCE_BYTES = 32;
const KEY_LENGTH_MAX = 4_096;

const key = v.pipe(v.string(), v.maxLength(KEY_LENGTH_MAX));

const query: v.GenericSchema<unknown, MapQuery> = v.union([
  v.strictObject({ get: key }),
  v.strictObject({
    from: key,
    until: v.exactOptional(key),
    limit: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  }),
]);

const entry = v.object({ key, value: v.unknown(), version: v.number() });

const message: v.GenericSchema<unknown, ReadMessage> = v.variant('type', [
  v.object({ type: v.literal('nonce'), nonce: v.pipe(v.instance(Uint8Array), v.length(NONCE_BYTES)) }),
  v.object({
    type: v.literal('ask'),
    map: v.pipe(v.string(), v.maxLength(64)),
    proof: v.pipe(v.string(), v.length(64)),
    consistency: v.picklist(['weak', 'strong']),
    query,
  }),
  v.object({ type: v.literal('answer'), entries: v.array(entry), more: v.boolean(), at: v.number() }),
]);

/** What was read, and as of which entry of the log. */
export type Answer = MapAnswer<unknown> & { readonly at: number };
export const readProtocol: Protocol<ReadMessage> = protocol({
  name: 'cli/kv-read',
  version: 1,
  codec: cborCodec({ schema: message }),
});

/** A proof is good for one link: it is bound to the nonce and to both ends, which the connection has authenticated. */
export function proofOf(
  groupKey: GroupKey,
  link: { readonly nonce: Uint8Array; readonly reader: PeerId; readonly member: PeerId },
): string {
  return groupKey.derive('cli/kv-read/1', idFromBytes(link.nonce), link.reader, link.member);
}
