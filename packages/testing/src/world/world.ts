import { InvalidArgumentError, type NetworkId, type Runtime, sleep, type UniqueId } from '@mosaik/primitives';
import { EventKind } from '../clock/event-kind.ts';
import { HostClock } from '../clock/host-clock.ts';
import { Scheduler } from '../clock/scheduler.ts';
import { createFaults, type Faults } from '../faults/faults.ts';
import { RuleSet } from '../faults/rule.ts';
import { Network } from '../network/network.ts';
import type { NetworkOptions } from '../network/path.ts';
import { Seed } from '../random/seed.ts';
import type { GossipStats } from '../transport/gossip.ts';
import { SimIdentities } from '../transport/identity.ts';
import { drive, type RunOptions } from './driver.ts';
import { type Host, type HostOptions, SimHost } from './host.ts';
import { Process } from './process.ts';
import { Trace, type TraceView } from './trace.ts';
import { type UntilOptions, Waits } from './waits.ts';

/** How a world is made. */
export interface WorldOptions {
  /** Everything follows from it; printed with every failure. Default 1. */
  readonly seed?: number | string;
  /** What the network is like without faults: the same for all pairs, or a function of the two hosts. */
  readonly network?: NetworkOptions;
  /** The mosaik network that transports join unless told otherwise. Default `test`. */
  readonly networkName?: NetworkId | string;
  /** Records the newest events as text in `trace.lines`: 10,000 of them, or as many as given. Default false. */
  readonly trace?: boolean | number;
}

/** Counts of what happened so far. */
export interface WorldStats {
  readonly events: number;
  readonly packets: number;
  readonly bytes: number;
  /** Connections that at least one side believes in now. */
  readonly connections: number;
  readonly gossip: Readonly<Omit<GossipStats, 'lastId'>>;
}

/** An error that background work or a handler on a host ended with. */
export interface HostError {
  readonly host: string;
  readonly error: Error;
  readonly where: string;
}

/**
 * A simulated world: hosts on a network, in virtual time, from one seed. The same seed and the same program give the same
 * events, to the last bit.
 */
export interface World {
  /** As text, to be given to {@link createWorld} again. */
  readonly seed: string;
  /** True time in milliseconds since the world began. */
  readonly now: number;
  /** Time and chance for the test itself: the true clock. */
  readonly runtime: Runtime;
  readonly hosts: readonly Host[];
  readonly faults: Faults;
  readonly trace: TraceView;
  readonly stats: WorldStats;
  /** What went wrong in the background, the first hundred; a transport with an `onError` of its own is not in here. */
  readonly errors: readonly HostError[];
  /** Adds a host; it is up. */
  host(name: string, options?: HostOptions): Host;
  /**
   * Runs a test while driving the world: time passes only in here. Fails when the test does, when no event is left and
   * the test still waits, beyond the limits, and when anything used the real clock, real timers or real chance, or left
   * a rejection unhandled. The message of whatever it fails with names the seed.
   *
   * A world may run several times, one after the other, and goes on where it was; one world at a time in a process.
   */
  run<T>(test: () => Promise<T>, options?: RunOptions): Promise<T>;
  /** Lets virtual time pass. */
  sleep(durationMs: number): Promise<void>;
  /**
   * Waits until something holds.
   *
   * @throws {TimeoutError} when it does not come true within `withinMs` of virtual time (default one minute).
   */
  until(predicate: () => boolean, options?: UntilOptions): Promise<void>;
}

const MAX_ERRORS = 100;

/** Creates a world without hosts, at time 0. */
export function createWorld(options: WorldOptions = {}): World {
  return new SimWorld(options);
}

class SimWorld implements World {
  readonly runtime: Runtime;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly errors: HostError[] = [];
  readonly scheduler: Scheduler;
  readonly waits: Waits;
  readonly #seed: Seed;
  readonly #network: Network;
  readonly #gossip: GossipStats = { messages: 0, bytes: 0, duplicates: 0, rejected: 0, lastId: 0 };
  readonly #identities: SimIdentities;
  readonly #networkName: NetworkId | string;
  readonly #kernel: Process;
  readonly #hosts = new Map<string, SimHost>();
  #lastIndex = 0;

  constructor(options: WorldOptions) {
    this.#seed = new Seed(options.seed ?? 1);
    this.trace = new Trace(options.trace ?? false);
    this.trace.text('seed', this.#seed.text);
    this.scheduler = new Scheduler(this.trace);
    this.#kernel = new Process({
      scheduler: this.scheduler,
      name: 'world',
      index: 0,
      clock: new HostClock({}, 0),
      random: this.#seed.stream('test'),
    });
    this.runtime = this.#kernel.runtime;
    this.waits = new Waits(this.#kernel);
    this.#networkName = options.networkName ?? 'test';
    this.#identities = new SimIdentities(this.#seed.id<UniqueId>('world secret'));
    const rules = new RuleSet();
    this.#network = new Network({
      scheduler: this.scheduler,
      kernel: this.#kernel,
      seed: this.#seed,
      network: options.network ?? {},
      rules,
    });
    this.faults = createFaults({ rules, changed: (what) => this.#onFault(what) });
  }

  get seed(): string {
    return this.#seed.text;
  }

  get now(): number {
    return this.scheduler.nowMs;
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  get stats(): WorldStats {
    const { packets, bytes } = this.#network.stats;
    const { lastId: _, ...gossip } = this.#gossip;
    return {
      events: this.scheduler.dispatched,
      packets,
      bytes,
      connections: this.#network.connections,
      gossip,
    };
  }

  host(name: string, options: HostOptions = {}): Host {
    if (!/^[^/:\s]+$/.test(name))
      throw new InvalidArgumentError('name', `without "/", ":" and space, not "${name}"`);
    if (this.#hosts.has(name)) throw new InvalidArgumentError('name', `there is a host ${name} already`);
    const host = new SimHost(
      {
        scheduler: this.scheduler,
        seed: this.#seed,
        kernel: this.#kernel,
        network: this.#network,
        identities: this.#identities,
        gossip: this.#gossip,
        defaultNetwork: this.#networkName,
        nextIndex: () => ++this.#lastIndex,
        onError: (where, error, what) => this.#onError(where, error, what),
      },
      name,
      options,
    );
    this.#hosts.set(name, host);
    this.#network.add(host);
    return host;
  }

  run<T>(test: () => Promise<T>, options: RunOptions = {}): Promise<T> {
    return drive(this, test, options);
  }

  sleep(durationMs: number): Promise<void> {
    return sleep(this.runtime, durationMs);
  }

  until(predicate: () => boolean, options: UntilOptions = {}): Promise<void> {
    return this.waits.until(predicate, options);
  }

  describe(): readonly string[] {
    const hosts = [...this.#hosts.values()];
    return [
      ...this.waits.descriptions.map((what) => `waiting until ${what}`),
      `${hosts.filter((host) => host.isUp).length} of ${hosts.length} hosts up`,
      `${this.#network.connections} connections`,
      ...firstOf(this.#network.heldUp),
      ...firstOf(hosts.flatMap((host) => host.activity)),
    ];
  }

  #onFault(what: string): void {
    this.trace.event(this.now, this.#kernel, EventKind.fault);
    this.trace.text('what', what);
    this.#network.rulesChanged();
  }

  #onError(host: string, error: Error, where: string): void {
    this.trace.text('error', `${host} ${where} ${error.message}`);
    if (this.errors.length < MAX_ERRORS) this.errors.push({ host, error, where });
  }
}

/** Enough to see what is going on; a large world has too much to print. */
const MAX_DESCRIBED = 20;

function firstOf(lines: readonly string[]): readonly string[] {
  const more = lines.length - MAX_DESCRIBED;
  return more > 0 ? [...lines.slice(0, MAX_DESCRIBED), `and ${more} more`] : lines;
}
