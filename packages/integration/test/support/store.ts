import type { PeerId } from '@mosaik/primitives';
import { type StreamDefinition, stream } from '@mosaik/streams';
import { type Child, startChild } from './child.ts';
import { LOOPBACK, type NodeOptions } from './nodes.ts';

export interface Entry {
  readonly n: number;
  readonly text: string;
}

export const Entries: StreamDefinition<Entry> = stream<Entry>('entries');

export type StoreProcessOptions = NodeOptions & {
  readonly bootstrap?: readonly string[];
  /** Where it retains the stream, in SQLite. */
  readonly retainAt?: string;
};

/** What a joiner has seen so far: counted, and checked for order. */
export interface JoinerReport {
  readonly data: number;
  readonly next: number;
  readonly isCaughtUp: boolean;
  readonly gaps: number;
  /** What did not follow on what came before it, the first few. */
  readonly misplaced: readonly string[];
  readonly why: string;
}

/** A node with a store, in a process of its own: `test/programs/store.ts`. */
export interface StoreProcess extends Child {
  readonly peerId: PeerId;
  readonly address: string;
  /** Sends so many more, numbered by their offsets; resolves when all are durable, to the offset that comes next. */
  send(count: number): Promise<number>;
  /** Begins to replay, at most so many data a second. */
  join(perSecond: number): Promise<void>;
  report(): Promise<JoinerReport>;
}

export async function startStore(
  secretKey: string,
  options: Partial<StoreProcessOptions> = {},
): Promise<StoreProcess> {
  const argument = { network: 'integration store', listen: [LOOPBACK], secretKey, ...options };
  const child = await startChild('store', argument);
  const { peerId, addresses } = await child.call<{ peerId: PeerId; addresses: string[] }>('local');
  return Object.assign(child, {
    peerId,
    address: addresses[0] ?? '',
    send: (count: number) => child.call<number>('send', count),
    join: (perSecond: number) => child.call<void>('join', perSecond),
    report: () => child.call<JoinerReport>('report'),
  });
}
