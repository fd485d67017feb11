/**
 * `@mosaik/discovery`: who is there. A node that is given one address of any live node learns of every peer of its network,
 * what each offers, and who is gone: a catalog of signed entries, spread by gossip, repaired by set reconciliation, and
 * watched over by a failure detector. Everything above learns from the catalog alone.
 */
import type { Discovery } from './discovery.ts';
import { DiscoveryNode } from './node/discovery-node.ts';
import type { DiscoveryOptions } from './options.ts';

export type { Catalog } from './catalog/catalog.ts';
export { type PeerInfo, peerInfo } from './catalog/peer-info.ts';
export type { RefusalReason } from './catalog/rules.ts';
export { DiscoveryCode } from './codes.ts';
export type { DetectorOptions } from './detector/contract.ts';
export type { Discovery, DiscoveryStats } from './discovery.ts';
export type { Offer } from './entry/own-entry.ts';
export { compareVersions, type EntryVersion, type PeerEntry, type Ticket } from './entry/peer-entry.ts';
export { EntryRefusedError } from './errors.ts';
export type { DepartureReason, DiscoveryEvent } from './events.ts';
export type { DiscoveryOptions } from './options.ts';
export type { SyncResult } from './sync/session.ts';

/**
 * Joins the network of a transport: announces this node, finds the others, and keeps the catalog until closed.
 *
 * @throws {InvalidArgumentError} when an option is out of range.
 */
export async function createDiscovery(options: DiscoveryOptions): Promise<Discovery> {
  const node = new DiscoveryNode(options);
  await node.start();
  return node;
}
