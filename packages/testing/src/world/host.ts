import { ClosedError, type Runtime } from '@mosaik/primitives';
import type { Transport } from '@mosaik/transport';
import { EventKind } from '../clock/event-kind.ts';
import { type ClockOptions, HostClock } from '../clock/host-clock.ts';
import type { Scheduler } from '../clock/scheduler.ts';
import type { Listener, Machine } from '../network/machine.ts';
import type { Network } from '../network/network.ts';
import type { Place } from '../network/path.ts';
import type { Seed } from '../random/seed.ts';
import type { GossipStats } from '../transport/gossip.ts';
import type { SimIdentities } from '../transport/identity.ts';
import type { SimTransportOptions } from '../transport/options.ts';
import { SimTransport } from '../transport/sim-transport.ts';
import { Process } from './process.ts';

/**
 * How a host goes down. `kill`: its process ends and its kernel says so, peers see their connections lost at once.
 * `powerLoss`: packets just stop, peers see silence after their timeout, and what was not synced to disk is gone.
 */
export type CrashMode = 'kill' | 'powerLoss';

/** A crash, for whoever simulates more of a machine than its network. */
export interface Crash {
  readonly mode: CrashMode;
  /** The incarnation that ended. */
  readonly incarnation: number;
}

/** How a host is made. */
export interface HostOptions extends ClockOptions, Pick<SimTransportOptions, 'network' | 'secretKey'> {}

/** A machine of the world, with one process on it at a time. */
export interface Host extends Place {
  readonly name: string;
  /** Counts the lives of the process on it, from 1. */
  readonly incarnation: number;
  readonly isUp: boolean;
  /** Clocks, timers and chance of the process that runs, or of the last one when none does. */
  readonly runtime: Runtime;
  /**
   * Makes a transport for the process that runs. The first one of a process is at `sim://<name>`, the next at
   * `sim://<name>:2`, and so on, anew in each incarnation.
   *
   * @throws {ClosedError} when the host is down.
   */
  transport(options?: SimTransportOptions): Transport;
  /** Ends the process. Default mode: `kill`. Nothing of it runs or acts from here on; does nothing when down. */
  crash(options?: { readonly mode?: CrashMode }): void;
  /** Starts the next process, with a runtime of its own; nothing is running on it yet. Does nothing when up. */
  restart(): void;
  /** Stops the event loop for a while: timers and deliveries wait, time goes on. Peers may find it silent. */
  stall(durationMs: number): void;
  /** Calls back at each crash, after the process has ended. */
  onCrash(callback: (crash: Crash) => void): Disposable;
}

/** What a host needs of its world. */
export interface HostContext {
  readonly scheduler: Scheduler;
  readonly seed: Seed;
  readonly kernel: Process;
  readonly network: Network;
  readonly identities: SimIdentities;
  readonly gossip: GossipStats;
  readonly defaultNetwork: NonNullable<SimTransportOptions['network']>;
  /** Numbers processes. */
  readonly nextIndex: () => number;
  readonly onError: (host: string, error: Error, where: string) => void;
}

export class SimHost implements Host, Machine {
  readonly name: string;
  readonly index: number;
  readonly listeners: Map<number, Listener> = new Map();
  readonly #context: HostContext;
  readonly #options: HostOptions;
  readonly #crashCallbacks = new Set<(crash: Crash) => void>();
  #incarnation = 0;
  #isPowered = true;
  #lastPort = 0;
  #process: Process;

  constructor(context: HostContext, name: string, options: HostOptions) {
    this.#context = context;
    this.name = name;
    this.#options = options;
    this.index = context.nextIndex();
    this.#process = this.#boot();
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get isUp(): boolean {
    return this.#process.isAlive;
  }

  /** What its transports are busy with, as text. */
  get activity(): readonly string[] {
    return [...this.listeners.values()].flatMap((transport) =>
      transport.activity.map((what) => `${this.name}: ${what}`),
    );
  }

  get isPowered(): boolean {
    return this.#isPowered;
  }

  get runtime(): Runtime {
    return this.#process.runtime;
  }

  get process(): Process {
    return this.#process;
  }

  transport(options: SimTransportOptions = {}): Transport {
    if (!this.isUp) throw new ClosedError(`host ${this.name} is down: a transport cannot be made`);
    const { network, identities, gossip, defaultNetwork, onError } = this.#context;
    const port = ++this.#lastPort;
    const transport = new SimTransport(
      {
        process: this.#process,
        machine: this,
        port,
        network,
        identities,
        gossip,
        onClosed: () => this.listeners.delete(port),
      },
      {
        ...options,
        network: options.network ?? this.#options.network ?? defaultNetwork,
        secretKey: options.secretKey ?? this.#keyOf(port),
        onError: options.onError ?? ((error, where) => onError(this.name, error, where)),
      },
    );
    this.listeners.set(port, transport);
    return transport;
  }

  crash(options: { readonly mode?: CrashMode } = {}): void {
    if (!this.isUp) return;
    const { mode = 'kill' } = options;
    const process = this.#process;
    this.#trace(EventKind.crash);
    process.die();
    this.listeners.clear();
    if (mode === 'kill') {
      this.#context.network.killed(process);
    } else {
      this.#isPowered = false;
      this.#context.network.lostPower(this, process);
    }
    for (const callback of [...this.#crashCallbacks]) callback({ mode, incarnation: this.#incarnation });
  }

  restart(): void {
    if (this.isUp) return;
    this.#process = this.#boot();
    this.#trace(EventKind.restart);
    if (this.#isPowered) return;
    this.#isPowered = true;
    this.#context.network.rebooted(this);
  }

  stall(durationMs: number): void {
    const process = this.#process;
    if (!process.isAlive) return;
    this.#trace(EventKind.stall);
    process.stall(durationMs, this.#context.kernel, () => this.#context.network.reviewOf(process));
    this.#context.network.reviewOf(process);
  }

  onCrash(callback: (crash: Crash) => void): Disposable {
    const own = (crash: Crash): void => callback(crash);
    this.#crashCallbacks.add(own);
    return { [Symbol.dispose]: () => void this.#crashCallbacks.delete(own) };
  }

  #boot(): Process {
    this.#incarnation++;
    this.#lastPort = 0;
    const { seed, scheduler, nextIndex } = this.#context;
    const random = seed.stream(`host ${JSON.stringify([this.name, this.#incarnation])}`);
    // Up to a million seconds of uptime: whoever compares clocks of two hosts, or of two lives, is far off.
    const originMs = Math.floor(random.next() * 1e9);
    return new Process({
      scheduler,
      name: this.name,
      index: nextIndex(),
      clock: new HostClock(this.#options, originMs - scheduler.nowMs),
      random,
    });
  }

  /** The host's key for its first transport, a key of its own for each further one. */
  #keyOf(port: number): NonNullable<SimTransportOptions['secretKey']> {
    const own = port === 1 ? this.#options.secretKey : undefined;
    return own ?? this.#context.seed.id(`secret key ${JSON.stringify([this.name, port])}`);
  }

  #trace(kind: EventKind): void {
    const { scheduler } = this.#context;
    scheduler.trace.event(scheduler.nowMs, this, kind);
  }
}
