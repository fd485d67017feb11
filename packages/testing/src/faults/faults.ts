import { InvalidArgumentError } from '@mosaik/primitives';
import type { Place } from '../network/path.ts';
import {
  lossOfConnections,
  oneWay,
  partition,
  type Region,
  type Slowness,
  shareOfPackets,
  slower,
} from './kinds.ts';
import type { Rule, RuleSet } from './rule.ts';

/** A fault in force, until healed. */
export interface Fault extends Disposable {
  readonly isActive: boolean;
  /** Takes the fault away; what it held back goes on its way. Healing twice does nothing. */
  heal(): void;
}

/** Packets that are late. */
export interface LatePackets {
  /** Which share of packets, from 0 to 1. */
  readonly share: number;
  /** By how many milliseconds; what is behind a late packet on the same connection waits for it, as in TCP. */
  readonly byMs: number;
  /** Only between these hosts. Default: everywhere. */
  readonly among?: readonly Place[];
}

/** Connections that are reset by the network. */
export interface LostConnections {
  /** How often each connection is lost, on average and per minute. */
  readonly perMinute: number;
  /** Only between these hosts. Default: everywhere. */
  readonly among?: readonly Place[];
}

/**
 * What goes wrong in a world's network. Faults compose: each is a rule that refines the way from one host to another,
 * and rules apply in a fixed order (partition, slow, delay, loss), whatever order they were made in.
 *
 * @example
 * const cut = world.faults.partition([a, b], [c, d, e]);
 * await world.sleep(3_000);
 * cut.heal();
 */
export interface Faults {
  /**
   * Cuts the network: hosts that are in no group together do not reach each other. Hosts in several groups reach all of
   * these, so that a partition need not be transitive; hosts in no group are not concerned. Packets are held, as TCP
   * sends them again, and arrive after the heal unless the connection was found silent before.
   */
  partition(...groups: readonly (readonly Place[])[]): Fault;
  /** Cuts hosts off from all others, but not from each other. */
  isolate(...hosts: readonly Place[]): Fault;
  /** Packets from `from` to `to` do not get through, those the other way do. */
  oneWay(from: Place | readonly Place[], to: Place | readonly Place[]): Fault;
  /** Makes the way between two hosts, or groups of hosts, slower, both ways. */
  slow(a: Place | readonly Place[], b: Place | readonly Place[], by: Slowness): Fault;
  /** Delays a share of the packets. */
  delaySome(late: LatePackets): Fault;
  /** Resets connections at random times. */
  loseConnections(lost: LostConnections): Fault;
  /** Adds a rule of one's own. */
  add(rule: Rule): Fault;
  /** Heals everything. */
  clear(): void;
}

/** What faults act upon. */
interface FaultTarget {
  readonly rules: RuleSet;
  /** Makes a change of the rules take effect. */
  readonly changed: (what: string) => void;
}

export function createFaults(target: FaultTarget): Faults {
  return new FaultBoard(target);
}

class FaultBoard implements Faults {
  readonly #target: FaultTarget;
  readonly #active = new Set<ActiveFault>();

  constructor(target: FaultTarget) {
    this.#target = target;
  }

  partition(...groups: readonly (readonly Place[])[]): Fault {
    return this.add(partition(groups.map(regionOf)));
  }

  isolate(...hosts: readonly Place[]): Fault {
    const inside = regionOf(hosts);
    return this.add(partition([inside, { has: (place) => !inside.has(place) }]));
  }

  oneWay(from: Place | readonly Place[], to: Place | readonly Place[]): Fault {
    return this.add(oneWay(regionOf(from), regionOf(to)));
  }

  slow(a: Place | readonly Place[], b: Place | readonly Place[], by: Slowness): Fault {
    return this.add(slower(regionOf(a), regionOf(b), by));
  }

  delaySome({ share, byMs, among }: LatePackets): Fault {
    if (!(share >= 0 && share <= 1)) throw new InvalidArgumentError('share', `from 0 to 1, not ${share}`);
    return this.add(shareOfPackets({ share, byMs }, among && regionOf(among)));
  }

  loseConnections({ perMinute, among }: LostConnections): Fault {
    return this.add(lossOfConnections(perMinute, among && regionOf(among)));
  }

  add(rule: Rule): Fault {
    const fault = new ActiveFault(() => this.#heal(fault, rule));
    this.#active.add(fault);
    this.#target.rules.add(rule);
    this.#target.changed(rule.stage);
    return fault;
  }

  clear(): void {
    for (const fault of [...this.#active]) fault.heal();
  }

  #heal(fault: ActiveFault, rule: Rule): void {
    this.#active.delete(fault);
    this.#target.rules.remove(rule);
    this.#target.changed(`${rule.stage} healed`);
  }
}

class ActiveFault implements Fault {
  #onHeal: (() => void) | undefined;

  constructor(onHeal: () => void) {
    this.#onHeal = onHeal;
  }

  get isActive(): boolean {
    return this.#onHeal !== undefined;
  }

  heal(): void {
    const onHeal = this.#onHeal;
    this.#onHeal = undefined;
    onHeal?.();
  }

  [Symbol.dispose](): void {
    this.heal();
  }
}

function regionOf(places: Place | readonly Place[]): Region {
  const list = 'name' in places ? [places] : places;
  const names = new Set(list.map((place) => place.name));
  return { has: (place) => names.has(place.name) };
}
