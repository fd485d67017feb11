import type { Runtime } from '@mosaik/primitives';
import type { Transport } from '@mosaik/transport';

/** How a suite wants a transport. */
export interface CreateTransportOptions {
  /** The network it belongs to. Default: one that all of a test share. */
  readonly network?: string;
  /** A text that stands for its secret key. Default: another one for each. */
  readonly key?: string;
}

/** Where one test of a suite takes place. */
export interface TransportEnvironment {
  /** Time for the test's own waits. */
  readonly runtime: Runtime;
  /** Makes a transport that listens on an address others can reach; it is closed after the test. */
  create(options?: CreateTransportOptions): Promise<Transport>;
  /** Ends the process of a transport without a goodbye; needed when the setup says `canKill`. */
  kill?(transport: Transport): void | Promise<void>;
  /** Stops all packets from and to a transport from now on; needed when the setup says `canSilence`. */
  silence?(transport: Transport): void | Promise<void>;
}

/** An implementation of `Transport`, as its compliance suite needs it. */
export interface TransportSetup {
  /** Runs a test in an environment of its own and cleans up after it. */
  run(test: (environment: TransportEnvironment) => Promise<void>): Promise<void>;
  readonly canKill?: boolean;
  readonly canSilence?: boolean;
  /** How long a link has to survive without a message, in milliseconds of the environment's clock. Default 2000. */
  readonly idleMs?: number;
  /**
   * How many bytes may be on their way on one link while its reader does not read: buffers of both sides and the
   * window between them. Default 4 MiB.
   */
  readonly heldBytesMax?: number;
  /** Real time for one test, in milliseconds. Default 30000. */
  readonly timeoutMs?: number;
}

/** Makes a setup; called once for each suite. */
export type TransportFactory = () => TransportSetup;
