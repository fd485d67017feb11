import type { PeerId } from '@mosaik/primitives';
import { type Epoch, type StreamDefinition, stream } from '@mosaik/streams';
import { startChild } from './child.ts';
import type { MemberProcess, View } from './groups.ts';
import type { Audit, Receipt } from './ledger.ts';
import { LOOPBACK } from './nodes.ts';
import type { SightingsReport } from './sightings.ts';
import { until } from './wait.ts';

export interface Numbered {
  readonly n: number;
}

export const Numbers: StreamDefinition<Numbered> = stream<Numbered>('numbers');

/** What a node of the whole stack is started with. */
export interface StackOptions {
  readonly network: string;
  readonly secretKey: string;
  readonly listen: readonly string[];
  readonly bootstrap: readonly string[];
  /** A member of a group of three with this key, with its log in this file, or in memory. */
  readonly member?: { readonly key: string; readonly file?: string };
  /** Sends so many numbers a second, from 0 on, whether anybody listens or not. */
  readonly producesPerSecond?: number;
  readonly consumes?: boolean;
}

/** What a producer has sent in this life of its. */
export interface Produced {
  readonly epoch: Epoch;
  readonly sent: number;
}

/** A node of the whole stack, in a process of its own: `test/programs/stack.ts`. */
export interface StackProcess extends MemberProcess {
  readonly options: StackOptions;
  /** Whom it knows, ascending. */
  known(): Promise<PeerId[]>;
  /** Connections over which nobody showed that they are of this network, in both directions. */
  strangers(): Promise<number>;
  produced(): Promise<Produced>;
  seen(): Promise<SightingsReport>;
  /** Closes the network in an orderly way, and ends; resolves with what it had sent, if it produces. */
  leave(): Promise<Produced | undefined>;
}

export async function startStack(
  options: Omit<StackOptions, 'listen'> & Partial<StackOptions>,
): Promise<StackProcess> {
  const argument: StackOptions = { listen: [LOOPBACK], ...options };
  const child = await startChild('stack', argument);
  const { peerId, addresses } = await child.call<{ peerId: PeerId; addresses: string[] }>('local');
  return Object.assign(child, {
    options: argument,
    peerId,
    address: (addresses[0] ?? '').replace(/\/p2p\/.*$/, ''),
    known: () => child.call<PeerId[]>('known'),
    view: () => child.call<View>('view'),
    strangers: () => child.call<number>('strangers'),
    produced: () => child.call<Produced>('produced'),
    seen: () => child.call<SightingsReport>('seen'),
    leave: async () => {
      const produced = await child.call<Produced | undefined>('leave');
      await child[Symbol.asyncDispose]();
      return produced;
    },
  });
}

/** Starts a node again whose process is gone: the same, at the same address. */
export function startAgain(gone: StackProcess, bootstrap: readonly string[]): Promise<StackProcess> {
  return startStack({ ...gone.options, listen: [gone.address], bootstrap });
}

/** Waits until each knows exactly the others. */
export async function untilKnown(nodes: readonly StackProcess[], deadlineMs: number): Promise<void> {
  const all = nodes.map(({ peerId }) => peerId).sort();
  await until(`${nodes.length} nodes know each other`, deadlineMs, async () => {
    const known = await Promise.all(nodes.map((node) => node.known()));
    return known.every((peers, index) =>
      isSame(
        peers,
        all.filter((peer) => peer !== nodes[index]?.peerId),
      ),
    );
  });
}

/** Waits until the members agree on a leader, and all of them vote, and nobody else; resolves with the leader. */
export async function untilWhole(
  members: readonly StackProcess[],
  deadlineMs: number,
): Promise<StackProcess> {
  let leader: StackProcess | undefined;
  let seen: readonly View[] = [];
  await until('the group is whole', deadlineMs, async () => {
    seen = await Promise.all(members.map((member) => member.view()));
    leader = members.find(({ peerId }) => peerId === seen[0]?.leader);
    return seen.every(
      (view) =>
        view.leader === leader?.peerId && view.voters.length === members.length && view.learners.length === 0,
    );
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(seen)}`, { cause: error });
  });
  return leader as StackProcess;
}

/** All that was acknowledged is there, where it was said to be, once, at each member; and all have the same number. */
export async function auditAll(
  members: readonly StackProcess[],
  receipts: readonly Receipt[],
): Promise<readonly Audit[]> {
  return await Promise.all(members.map((member) => member.call<Audit>('audit', receipts)));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
