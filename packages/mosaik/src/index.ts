/**
 * `mosaik`: processes that organise themselves. A node that is given a secret key, one address of any live node and role
 * tags finds everybody else ({@link Network.discovery}), wires typed streams between producers and consumers
 * ({@link Network.streams}), forms availability groups ({@link Network.groups}), and replays what was sent to those who
 * come late ({@link Network.store}). No broker, no orchestrator, no configuration.
 */
import { createNetwork } from './create.ts';
import type { Network as NetworkNode, NetworkOptions } from './network.ts';

export * from '@mosaik/discovery';
export * from '@mosaik/groups';
// The machine, and not the metric of the same name, which `mosaik/primitives` has; and where the log of a group is kept, not
// those of streams, which `mosaik/store` has.
export { Counter, type Durability, type LogStorage, memory } from '@mosaik/groups';
export * from '@mosaik/primitives';
export * from '@mosaik/store';
export { memory as memoryStore } from '@mosaik/store';
export * from '@mosaik/streams';
export * from '@mosaik/transport';
export type {
  ChannelInspection,
  ConsumerInspection,
  GroupInspection,
  Inspection,
  ProducerInspection,
} from './inspection/inspection.ts';
export { inspectionProtocol } from './inspection/protocol.ts';
export type { NetworkOptions } from './network.ts';
export { type Preset, type PresetTimes, presets } from './presets.ts';

/** A node, as a member of a network. */
export type Network = NetworkNode;

/** Makes nodes. */
export const Network: {
  /** See {@link createNetwork}. */
  readonly create: (name: string, options?: NetworkOptions) => Promise<NetworkNode>;
} = { create: createNetwork };
