import type { DiscoveryEvent, DiscoveryOptions } from '@mosaik/discovery';
import type { PeerId } from '@mosaik/primitives';
import { type Child, startChild } from './child.ts';
import { LOOPBACK, type NodeOptions } from './nodes.ts';
import { until } from './wait.ts';

/** Options of a discovery that can be told to another process. */
export type DiscoveryProcessOptions = NodeOptions & {
  readonly discovery?: Omit<DiscoveryOptions, 'transport'>;
};

/** What a process keeps of an event, with the wall clock when it happened: the same clock for all of a machine. */
export interface RecordedEvent {
  readonly type: DiscoveryEvent['type'];
  readonly peer: PeerId;
  readonly reason?: string;
  readonly atMs: number;
}

/** What a process holds of a peer, itself among them. */
export interface Held {
  readonly peer: PeerId;
  readonly version: string;
  readonly names: readonly string[];
}

/** A node with discovery, in a process of its own: `test/programs/discovery.ts`. */
export interface DiscoveryProcess extends Child {
  readonly peerId: PeerId;
  readonly address: string;
  /** Wall clock when the process had loaded and began to start its node. */
  readonly startedAtMs: number;
  /** Itself and its catalog, ascending by peer. */
  held(): Promise<Held[]>;
  events(): Promise<RecordedEvent[]>;
  /** Whom it suspects to be gone. */
  suspects(): Promise<PeerId[]>;
  /** Refused entries by reason. */
  refused(): Promise<Record<string, number>>;
}

async function startDiscovery(options: DiscoveryProcessOptions): Promise<DiscoveryProcess> {
  const child = await startChild('discovery', {
    network: 'integration discovery',
    listen: [LOOPBACK],
    ...options,
  });
  const local = await child.call<{ peerId: PeerId; addresses: string[]; startedAtMs: number }>('local');
  return Object.assign(child, {
    peerId: local.peerId,
    address: local.addresses[0] ?? '',
    startedAtMs: local.startedAtMs,
    held: () => child.call<Held[]>('held'),
    events: () => child.call<RecordedEvent[]>('events'),
    suspects: () => child.call<PeerId[]>('suspects'),
    refused: () => child.call<Record<string, number>>('refused'),
  });
}

/** Processes that end with the test, in whatever way it ends. */
export class Cluster implements AsyncDisposable {
  readonly #children: Promise<DiscoveryProcess>[] = [];

  start(options: DiscoveryProcessOptions): Promise<DiscoveryProcess> {
    const child = startDiscovery(options);
    this.#children.push(child);
    return child;
  }

  /** `count` processes, each told one address: that of the first. */
  async startAll(name: string, count: number): Promise<DiscoveryProcess[]> {
    const first = await this.start({ secretKey: `${name} 0` });
    const discovery = { bootstrap: [first.address] };
    const others = Array.from({ length: count - 1 }, (_, index) =>
      this.start({ secretKey: `${name} ${index + 1}`, discovery }),
    );
    return [first, ...(await Promise.all(others))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const started = await Promise.allSettled(this.#children);
    const children = started.flatMap((child) => (child.status === 'fulfilled' ? child.value : []));
    await Promise.all(children.map((child) => child[Symbol.asyncDispose]()));
  }
}

/** Waits until each of them knows exactly the others, at the same versions. */
export async function untilEqual(nodes: readonly DiscoveryProcess[], deadlineMs: number): Promise<void> {
  await until(`${nodes.length} catalogs are equal`, deadlineMs, async () => {
    const all = await Promise.all(nodes.map((node) => node.held()));
    const [first] = all.map((held) => JSON.stringify(held));
    return all.every((held) => held.length === nodes.length && JSON.stringify(held) === first);
  });
}

/** Waits until all of `nodes` see a tag on a peer, by its name. */
export async function untilTagged(
  nodes: readonly DiscoveryProcess[],
  wanted: { readonly peer: PeerId; readonly tag: string },
  deadlineMs: number,
): Promise<void> {
  await until(`all see the tag ${wanted.tag}`, deadlineMs, async () => {
    const all = await Promise.all(nodes.map((node) => node.held()));
    return all.every((held) =>
      held.some(({ peer, names }) => peer === wanted.peer && names.includes(wanted.tag)),
    );
  });
}

/** Waits until all of `nodes` have told of an event about a peer; returns it as each of them did. */
export async function untilAllTold(
  nodes: readonly DiscoveryProcess[],
  event: Pick<RecordedEvent, 'type' | 'peer'> & { readonly sinceMs: number },
  deadlineMs: number,
): Promise<RecordedEvent[]> {
  let told: (RecordedEvent | undefined)[] = [];
  await until(`all have told of ${event.type}`, deadlineMs, async () => {
    const all = await Promise.all(nodes.map((node) => node.events()));
    told = all.map((events) =>
      events.find(
        ({ type, peer, atMs }) => type === event.type && peer === event.peer && atMs >= event.sinceMs,
      ),
    );
    return !told.includes(undefined);
  });
  return told.flatMap((one) => one ?? []);
}

/** How long after `sinceMs` the last of some events was. */
export function lastAfter(sinceMs: number, events: readonly RecordedEvent[]): number {
  return Math.max(...events.map(({ atMs }) => atMs)) - sinceMs;
}
