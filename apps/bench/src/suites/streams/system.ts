import type { PayloadName } from './payload.ts';

/** What a process of the benchmark does with the system under test. */
export type Role = 'producer' | 'broadcaster' | 'consumer' | 'requester' | 'responder';

export interface PartyOptions {
  /** Where the system is found: of its server, or of the processes that take part so far. */
  readonly addresses: readonly string[];
  readonly payload: PayloadName;
}

/** A process that takes part. */
export interface Party {
  /** Where others find the system by this process; empty when they do not. */
  readonly address: string;
  /** Resolves when it is connected to this many processes of the other kind. */
  connected(others: number): PromiseLike<unknown>;
}

export interface Producer extends Party {
  /** Sends so many datums more, as fast as the system takes them; resolves when it has taken them all. */
  send(count: number): Promise<void>;
}

/** What a sender kept at most since it began to send. */
export interface Kept {
  /** For one consumer; 0 where the sender keeps nothing by itself. */
  readonly queuedBytes: number;
  /** Of its whole process. */
  readonly rssBytes: number;
}

/** A producer that does not wait for a consumer that lags. */
export interface Broadcaster extends Party {
  /** Sends as fast as the system takes it, until it is told to stop. */
  start(): void;
  stop(): Promise<Kept>;
}

export interface Consumer extends Party {
  /** Resolves when so many datums have arrived since the last call, or since the start. */
  receive(count: number): Promise<void>;
  /** How many datums have arrived since the start. */
  total(): number;
}

export interface Requester extends Party {
  /** Sends a datum and waits until it has come back, again and again; the milliseconds that each took. */
  roundTrips(count: number): Promise<number[]>;
}

/** A system that carries typed datums between processes: how a process takes part, in each role. */
export interface System {
  producer(options: PartyOptions): Promise<Producer>;
  broadcaster(options: PartyOptions): Promise<Broadcaster>;
  consumer(options: PartyOptions): Promise<Consumer>;
  requester(options: PartyOptions): Promise<Requester>;
  /** Sends back what it gets. */
  responder(options: PartyOptions): Promise<Party>;
}

/** The systems there are, each loaded only where it is used; not every one has all roles. */
export const systems = {
  mosaik: async (): Promise<Partial<System>> => (await import('./mosaik.ts')).mosaikSystem,
  nats: async (): Promise<Partial<System>> => (await import('./nats.ts')).natsSystem,
  bare: async (): Promise<Partial<System>> => (await import('./bare.ts')).bareSystem,
  bytes: async (): Promise<Partial<System>> => (await import('./bytes.ts')).bytesSystem,
} as const;

export type SystemName = keyof typeof systems;
