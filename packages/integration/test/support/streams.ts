import type { PeerId } from '@mosaik/primitives';
import { type Gap, type StreamDefinition, stream } from '@mosaik/streams';
import { type Child, startChild } from './child.ts';
import { LOOPBACK, type NodeOptions } from './nodes.ts';

export interface Parcel {
  readonly n: number;
  readonly payload: Uint8Array;
}

export const Parcels: StreamDefinition<Parcel> = stream<Parcel>('parcels');

export type StreamsProcessOptions = NodeOptions & { readonly bootstrap?: readonly string[] };

export interface ProduceOptions {
  readonly minimum: number;
  readonly bufferBytes?: number;
}

export interface Flow {
  readonly perSecond: number;
}

export interface ProducerReport {
  readonly sent: number;
  readonly isOnline: boolean;
  readonly why: string;
  readonly droppedTooSlow: number;
  readonly subscribed: number;
  /** The most that ever waited for one consumer. */
  readonly maxQueuedBytes: number;
  readonly maxRssBytes: number;
  readonly rssBytes: number;
}

export interface ConsumerReport {
  readonly datums: number;
  /** The number of the last datum; -1 before the first. */
  readonly last: number;
  readonly gaps: readonly Gap[];
  /** Where something did not follow on what came before it. */
  readonly misplaced: readonly string[];
  readonly state: string | undefined;
  readonly lastError: string | undefined;
}

/** A node with streams, in a process of its own: `test/programs/streams.ts`. */
export interface StreamsProcess extends Child {
  readonly peerId: PeerId;
  readonly address: string;
  producer(): Promise<ProducerReport>;
  consumer(): Promise<ConsumerReport>;
}

/** Processes that end with the test, in whatever way it ends; each is told the address of the first. */
export class StreamsCluster implements AsyncDisposable {
  readonly #children: StreamsProcess[] = [];

  async start(secretKey: string, options: Partial<StreamsProcessOptions> = {}): Promise<StreamsProcess> {
    const first = this.#children[0];
    const bootstrap = first === undefined ? [] : [first.address];
    const argument = { network: 'integration streams', listen: [LOOPBACK], secretKey, bootstrap, ...options };
    const child = await startChild('streams', argument);
    const { peerId, addresses } = await child.call<{ peerId: PeerId; addresses: string[] }>('local');
    const started: StreamsProcess = Object.assign(child, {
      peerId,
      address: addresses[0] ?? '',
      producer: () => child.call<ProducerReport>('producer'),
      consumer: () => child.call<ConsumerReport>('consumer'),
    });
    this.#children.push(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child[Symbol.asyncDispose]()));
  }
}
