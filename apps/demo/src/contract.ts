import { type ConsensusOptions, stream } from 'mosaik';
import type { Fill } from './book.ts';
import type { Topology } from './journal.ts';

/** The roles of the demo; each is the tag of the nodes that have it. */
export type Role = 'beacon' | 'matcher' | 'trader' | 'reporter';

/** What a process is told: a key, one address, a role, and where its own files are. */
export interface NodeConfig {
  readonly name: string;
  readonly role: Role;
  readonly network: string;
  readonly secretKey: string;
  /** What members of the matchers' group share. */
  readonly groupKey: string;
  readonly listen: string;
  /** One address; the beacon knows none. */
  readonly bootstrap: string | undefined;
  readonly folder: string;
  readonly orders: OrdersConfig;
}

/** Which orders a trader sends. */
export interface OrdersConfig {
  readonly file: string;
  /** It takes every `of`-th order, from the `first` on. */
  readonly first: number;
  readonly of: number;
  /** Time over which they are spread. */
  readonly spreadMs: number;
  /** Begins again at the end. */
  readonly isEndless: boolean;
}

/** Fills, as each matcher sends them: all of them, in their order. */
export const Fills = stream<Fill>('mosaik.demo.fills');

/** Three found the group, so that two of them are needed: no two histories can begin, and there is no need to wait for others. */
export const consensus: ConsensusOptions = {
  founders: 3,
  bootstrapDelayMs: 200,
  // A demo shows what is found: neither is on in production.
  compareStateEvery: 500,
  guardDeterminism: true,
};

/** What a process tells the one that started it, several times a second. */
export interface Status {
  readonly address: string;
  readonly peer: string;
  readonly topology: Topology;
  readonly sent?: number;
  readonly acknowledged?: number;
  /** When the newest order was sent that was acknowledged. */
  readonly newestSentMs?: number;
  /** It sends no more, and waits for nothing. */
  readonly isThrough?: boolean;
  readonly executed?: number;
  readonly fills?: number;
  /** Fills in the view, and those of them that came with a snapshot. */
  readonly reported?: number;
  readonly isCaughtUp?: boolean;
}

/** What a process is told to do: to send no more orders, and to leave. */
export type Instruction = 'finish' | 'stop';

/** What a role adds to a node. */
export interface Playing {
  status(): Partial<Status> & { readonly group?: Topology['group']; readonly producers?: number };
  /** Sends no more, and waits for what is under way. */
  finish?(): void;
  /** Before the node closes. */
  stop?(): Promise<void>;
}
