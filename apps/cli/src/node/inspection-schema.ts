import type { GroupId, Inspection, PeerId, StreamId } from 'mosaik';
import { isUniqueId } from 'mosaik';
import * as v from 'valibot';

/** What comes from a peer is checked here, once. */

const id = <Id extends string>() => v.custom<Id>(isUniqueId, '64 hexadecimal digits');
const text = v.pipe(v.string(), v.maxLength(4096));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const list = <Item extends v.GenericSchema>(item: Item) => v.pipe(v.array(item), v.maxLength(256));

const channel = v.object({
  peer: id<PeerId>(),
  state: v.picklist(['connecting', 'live', 'waiting']),
  datums: amount,
  bytes: amount,
  uptimeMs: amount,
  lagDatums: amount,
  lagBytes: amount,
  lastError: v.exactOptional(text),
});

const flow = {
  stream: id<StreamId>(),
  name: text,
  datums: amount,
  bytes: amount,
  isOnline: v.boolean(),
  why: text,
};

const group = v.object({
  group: id<GroupId>(),
  durability: text,
  role: text,
  leader: v.exactOptional(id<PeerId>()),
  term: amount,
  lastIndex: amount,
  committed: amount,
  applied: amount,
  bonds: amount,
  voters: amount,
  learners: amount,
  reason: text,
  why: text,
});

export const inspectionSchema: v.GenericSchema<unknown, Inspection> = v.object({
  uptimeMs: amount,
  producers: list(v.object({ ...flow, droppedTooSlow: amount, refused: amount, consumers: list(channel) })),
  consumers: list(v.object({ ...flow, gaps: amount, producers: list(channel) })),
  groups: list(group),
});
