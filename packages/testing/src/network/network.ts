import { EventKind } from '../clock/event-kind.ts';
import type { Scheduler } from '../clock/scheduler.ts';
import type { RuleSet } from '../faults/rule.ts';
import type { Seed } from '../random/seed.ts';
import type { Random } from '../random/sfc32.ts';
import type { Process } from '../world/process.ts';
import { type ConnectionSide, SimConnection } from './connection.ts';
import type { DialContext } from './dial.ts';
import type { Endpoint } from './endpoint.ts';
import type { Machine } from './machine.ts';
import { basePath, type NetworkOptions } from './path.ts';
import { Route, type RouteStats } from './route.ts';

const MS_PER_MINUTE = 60_000;

/** A route and what it leads from and to. */
interface Leg {
  readonly from: Machine;
  readonly to: Machine;
  readonly route: Route;
}

/** All machines, the ways between them and the connections over these. */
export class Network implements DialContext {
  readonly kernel: Process;
  readonly stats: RouteStats = { packets: 0, bytes: 0 };
  readonly #scheduler: Scheduler;
  readonly #seed: Seed;
  readonly #options: NetworkOptions;
  readonly #rules: RuleSet;
  readonly #lossRandom: Random;
  readonly #machines = new Map<string, Machine>();
  /** By name of the machine it leads from, then of that it leads to; made when first used. */
  readonly #legs = new Map<string, Map<string, Leg>>();
  readonly #connections = new Set<SimConnection>();

  constructor(options: {
    readonly scheduler: Scheduler;
    readonly kernel: Process;
    readonly seed: Seed;
    readonly network: NetworkOptions;
    readonly rules: RuleSet;
  }) {
    this.#scheduler = options.scheduler;
    this.kernel = options.kernel;
    this.#seed = options.seed;
    this.#options = options.network;
    this.#rules = options.rules;
    this.#lossRandom = options.seed.stream('connection loss');
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Ways that hold packets back, for the message of a deadlock. */
  get heldUp(): readonly string[] {
    return this.#allLegs()
      .filter(({ route }) => route.heldPackets > 0)
      .map(({ from, to, route }) => `${route.heldPackets} packets held from ${from.name} to ${to.name}`);
  }

  add(machine: Machine): void {
    this.#machines.set(machine.name, machine);
  }

  machine(name: string): Machine | undefined {
    return this.#machines.get(name);
  }

  route(from: Machine, to: Machine): Route {
    let legs = this.#legs.get(from.name);
    if (legs === undefined) {
      legs = new Map();
      this.#legs.set(from.name, legs);
    }
    let leg = legs.get(to.name);
    if (leg === undefined) {
      leg = { from, to, route: this.#makeRoute(from, to) };
      legs.set(to.name, leg);
    }
    return leg.route;
  }

  #makeRoute(from: Machine, to: Machine): Route {
    return new Route({
      scheduler: this.#scheduler,
      random: this.#seed.stream(`path ${JSON.stringify([from.name, to.name])}`),
      path: this.#rules.refine(basePath(this.#options, from, to), from, to),
      stats: this.stats,
    });
  }

  /** Connects two endpoints; called where the acceptor is, the dialler is told in an event of its own. */
  establish(dialer: Endpoint, acceptor: Endpoint): ConnectionSide {
    // One that only one of them still believes in gives way.
    acceptor.sideTo(dialer.peerId)?.finish('lost');
    const there = this.route(dialer.machine, acceptor.machine);
    const back = this.route(acceptor.machine, dialer.machine);
    const connection = new SimConnection(dialer, acceptor, { there, back });
    this.#connections.add(connection);
    acceptor.connected(connection.acceptor);
    this.#scheduler.soon(dialer.process, EventKind.connected, () => {
      if (!connection.dialer.isOpen) return;
      dialer.sideTo(acceptor.peerId)?.finish('lost');
      dialer.connected(connection.dialer);
    });
    this.#review(connection);
    this.#drawLoss(connection);
    return connection.dialer;
  }

  /** A side has ended; the connection is forgotten when both have. */
  forget(connection: SimConnection): void {
    if (connection.isOver) this.#connections.delete(connection);
  }

  /** The rules have changed: every way is worked out anew, and what follows from it. */
  rulesChanged(): void {
    for (const { from, to, route } of this.#allLegs()) {
      route.change(this.#rules.refine(basePath(this.#options, from, to), from, to));
    }
    for (const connection of this.#connections) {
      this.#review(connection);
      this.#drawLoss(connection);
    }
  }

  /** A process has stalled, has gone on, or has lost power. */
  reviewOf(process: Process): void {
    for (const connection of this.#connectionsOf(process)) this.#review(connection);
  }

  /** The process was killed: the kernel of its machine says so to everybody. */
  killed(process: Process): void {
    for (const connection of this.#connectionsOf(process)) {
      for (const side of connection.sides) {
        if (side.process !== process) continue;
        side.sendEnd('lost');
        side.vanish();
      }
      this.#review(connection);
    }
  }

  /** The machine has lost power: nobody says anything, and nothing is sent again. */
  lostPower(machine: Machine, process: Process): void {
    for (const { route } of this.#legs.get(machine.name)?.values() ?? []) route.dropHeld();
    for (const connection of this.#connectionsOf(process)) {
      for (const side of connection.sides) {
        if (side.process === process) side.vanish();
      }
      this.#review(connection);
    }
  }

  /** A machine is up again: to whoever still sends on a connection of before, it answers that there is none. */
  rebooted(machine: Machine): void {
    for (const connection of this.#connections) {
      for (const side of connection.sides) {
        if (side.endpoint.machine === machine && !side.isOpen) this.#answerReset(side);
      }
    }
  }

  /** The other side sends a beat and gets a reset for it. */
  #answerReset(gone: ConnectionSide): void {
    const { other } = gone;
    const packet = { bytes: 0, lane: 'control', order: { controlMs: 0, bulkMs: 0 } } as const;
    const deliver = (): void => other.finish('lost');
    const atMachine = (): void => gone.route.transmit({ ...packet, process: other.process, deliver });
    if (other.isOpen) other.route.transmit({ ...packet, process: this.kernel, deliver: atMachine });
  }

  *#connectionsOf(process: Process): Iterable<SimConnection> {
    for (const connection of this.#connections) {
      if (connection.dialer.process === process || connection.acceptor.process === process) yield connection;
    }
  }

  #review(connection: SimConnection): void {
    connection.dialer.review();
    connection.acceptor.review();
    this.forget(connection);
  }

  /** Losses are a Poisson process: the time to the next is exponential, and drawing it anew changes nothing. */
  #drawLoss(connection: SimConnection): void {
    const { dialer, acceptor } = connection;
    const perMinute =
      dialer.route.path.connectionLossesPerMinute + acceptor.route.path.connectionLossesPerMinute;
    if (perMinute === 0) {
      dialer.drawLoss(undefined);
      return;
    }
    const delayMs = (-Math.log(1 - this.#lossRandom.next()) / perMinute) * MS_PER_MINUTE;
    dialer.drawLoss(this.#scheduler.nowMs + delayMs);
  }

  #allLegs(): Leg[] {
    return [...this.#legs.values()].flatMap((legs) => [...legs.values()]);
  }
}
