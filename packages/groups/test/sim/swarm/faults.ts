import { randomInt, sample } from '@mosaik/primitives';
import type { Host } from '@mosaik/testing';
import { leaderOf, type Node } from '../cluster.ts';
import type { Nodes } from './nodes.ts';
import { FAULT_KINDS, type FaultKind } from './plan.ts';

/** Does to the nodes of a swarm what its plan says. */
export class Faults {
  readonly #nodes: Nodes;
  /** How often each has happened; what found nothing to happen to does not count. */
  readonly done: Record<FaultKind, number> = Object.fromEntries(
    FAULT_KINDS.map((kind) => [kind, 0]),
  ) as Record<FaultKind, number>;
  /** Members that found their log damaged while they ran, and went on as others. */
  discards = 0;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  async one(): Promise<void> {
    const kind = this.#draw();
    if (await this.#do(kind)) this.done[kind]++;
    this.#nodes.look();
  }

  #draw(): FaultKind {
    const { weights } = this.#nodes.plan;
    const total = FAULT_KINDS.reduce((sum, kind) => sum + weights[kind], 0);
    let left = this.#random() * total;
    for (const kind of FAULT_KINDS) {
      left -= weights[kind];
      if (left < 0) return kind;
    }
    return 'heal';
  }

  async #do(kind: FaultKind): Promise<boolean> {
    switch (kind) {
      case 'blackout':
        return await this.#blackout();
      case 'cut':
        return this.#cut();
      case 'rotate':
        return this.#rotate();
      case 'reconnect':
        return this.#reconnect();
      case 'heal':
        return this.#heal();
      case 'crash':
        return await this.#crash();
      case 'stall':
        return this.#stall();
      case 'stallDisk':
        return this.#stallDisk();
      case 'damage':
        return await this.#damage();
      case 'rot':
        return await this.#rot();
      case 'leave':
        return await this.#leave();
      case 'join':
        return await this.#join();
      case 'transfer':
        return await this.#transfer();
    }
  }

  get #world() {
    return this.#nodes.world;
  }

  #random(): number {
    return this.#world.runtime.random();
  }

  #below(count: number): number {
    return randomInt(this.#world.runtime, count);
  }

  /**
   * How many logs may be lost at once. One that is lost is a voter that does not come back: the group survives that of a minority,
   * once it has made up for those before.
   */
  #losable(): number {
    const { plan, voters } = this.#nodes;
    if (plan.isCareless) return 1;
    if (!this.#nodes.isWhole()) return 0;
    return Math.min(Math.floor((voters - 1) / 2), this.#beginners());
  }

  /** How many more may be new at the same time: as many as found a group would found another one, if they were cut off together. */
  #beginners(): number {
    return Math.floor(this.#nodes.plan.count / 2) - this.#nodes.beginners;
  }

  /** Only disks survive it, and of them what was synced. */
  async #blackout(): Promise<boolean> {
    if (!this.#nodes.plan.isDurable) return false;
    this.#nodes.note('blackout');
    for (let index = 0; index < this.#nodes.size; index++)
      this.#nodes.take(index)?.host.crash({ mode: 'powerLoss' });
    await this.#world.sleep(this.#random() * 1_000);
    await this.#nodes.restartAll();
    return true;
  }

  #cut(): boolean {
    const { runtime, faults } = this.#world;
    const hosts = sample(runtime, this.#world.hosts, this.#world.hosts.length);
    const [a, b] = [hosts.slice(0, this.#below(hosts.length) + 1), hosts.slice(this.#below(hosts.length))];
    const kind = this.#below(4);
    this.#nodes.note(`fault ${kind}: ${a.map(({ name }) => name)} | ${b.map(({ name }) => name)}`);
    // Groups that overlap make a partition that is not transitive.
    if (kind === 0) faults.partition(a, b);
    else if (kind === 1)
      faults.oneWay(
        a,
        hosts.filter((host) => !a.includes(host)),
      );
    else if (kind === 2) faults.isolate(hosts[0] as Host);
    else faults.delaySome({ share: 0.2, byMs: 300 });
    return true;
  }

  /** One is cut off, whoever was before is back. */
  #rotate(): boolean {
    const host = this.#world.hosts[this.#below(this.#world.hosts.length)] as Host;
    this.#nodes.note(`only ${host.name} is cut off`);
    this.#world.faults.clear();
    this.#world.faults.isolate(host);
    return true;
  }

  /** Connections break and are made again, from now on: what was under way is sent twice. */
  #reconnect(): boolean {
    const perMinute = 1 + 30 * this.#random();
    this.#nodes.note(`connections are lost ${perMinute.toFixed(1)} times a minute`);
    this.#world.faults.loseConnections({ perMinute });
    return true;
  }

  #heal(): boolean {
    this.#world.faults.clear();
    return true;
  }

  async #crash(): Promise<boolean> {
    const index = this.#below(this.#nodes.size);
    if (this.#nodes.get(index) === undefined) {
      await this.#nodes.restart(index);
      return true;
    }
    // What is only in memory is lost with its process.
    if (!this.#nodes.plan.isDurable && this.#losable() < 1) return false;
    const mode = this.#random() < 0.5 ? 'kill' : 'powerLoss';
    this.#nodes.note(`${mode} n${index}`);
    this.#nodes.take(index)?.host.crash({ mode });
    if (this.#random() < 0.5) {
      await this.#world.sleep(this.#random() * 4_000);
      await this.#nodes.restart(index);
    }
    return true;
  }

  #stall(): boolean {
    const { live } = this.#nodes;
    const node = live[this.#below(live.length)];
    if (node === undefined) return false;
    const durationMs = this.#random() * 6_000;
    this.#nodes.note(`stall ${node.host.name} for ${durationMs.toFixed(0)}`);
    node.host.stall(durationMs);
    return true;
  }

  #stallDisk(): boolean {
    const index = this.#below(this.#nodes.size);
    const durationMs = this.#random() * 4_000;
    this.#nodes.note(`the disk of n${index} stalls for ${durationMs.toFixed(0)}`);
    this.#nodes.disk(index)?.stall(durationMs);
    return true;
  }

  /** Of as many as may be, at once. Only after a kill is the damage sure to be found: see `simulated`. */
  async #damage(): Promise<boolean> {
    const { plan, size } = this.#nodes;
    const losable = this.#losable();
    if (!plan.isDurable || losable < 1) return false;
    const count = 1 + this.#below(losable);
    const { runtime } = this.#world;
    const damaged = sample(runtime, [...Array(size).keys()], count);
    for (const index of damaged) {
      this.#nodes.take(index)?.host.crash({ mode: 'kill' });
      const where = this.#nodes.disk(index)?.damage();
      this.#nodes.note(`kill n${index}, and damage ${where?.file} at ${where?.offset}`);
    }
    for (const index of damaged) {
      await this.#world.sleep(this.#random() * 500);
      await this.#nodes.restart(index);
    }
    return true;
  }

  /** A log that is in use, while another one is lost, whose node then asks for all there is. */
  async #rot(): Promise<boolean> {
    const { plan, size } = this.#nodes;
    if (!plan.isDurable || this.#losable() < 2) return false;
    const [index = 0, other = 0] = sample(this.#world.runtime, [...Array(size).keys()], 2);
    this.#nodes.note(`damage the log of n${index}, kill n${other}, and damage its mark`);
    const { group } = this.#nodes.get(index) as Node;
    const before = group.stats.damagedLog;
    for (let places = 0; places < 50; places++) this.#nodes.disk(index)?.damage({ file: 'log' });
    this.#nodes.take(other)?.host.crash({ mode: 'kill' });
    this.#nodes.disk(other)?.damage({ file: 'log-mark' });
    await this.#nodes.restart(other);
    await this.#world.sleep(1_500);
    if (group.stats.damagedLog !== before && group.why().code !== 'failed') {
      this.discards++;
      this.#nodes.note(`n${index} has found it, and is another member`);
      return true;
    }
    // It must not stay: others may be damaged next.
    this.#nodes.take(index)?.host.crash({ mode: 'kill' });
    this.#nodes.disk(index)?.damage({ file: 'log-mark' });
    await this.#nodes.restart(index);
    return true;
  }

  /** Says goodbye, and comes back. */
  async #leave(): Promise<boolean> {
    const { live, plan, size } = this.#nodes;
    if (live.length < 3 || (!plan.isDurable && this.#losable() < 1)) return false;
    const index = this.#below(size);
    if (this.#nodes.get(index) === undefined) return false;
    this.#nodes.note(`leave n${index}`);
    const node = this.#nodes.take(index) as Node;
    await Promise.race([node.close(), this.#world.sleep(10_000)]);
    this.#nodes.note(`left n${index}`);
    node.host.crash();
    await this.#world.sleep(this.#random() * 2_000);
    await this.#nodes.restart(index);
    return true;
  }

  /** Somebody who was not there from the beginning, in the middle of whatever goes on. */
  async #join(): Promise<boolean> {
    const { plan, size } = this.#nodes;
    if (size >= plan.count + plan.newcomers || this.#beginners() < 1) return false;
    this.#nodes.note(`join n${size}`);
    await this.#nodes.add();
    return true;
  }

  async #transfer(): Promise<boolean> {
    const leader = leaderOf(this.#nodes.live);
    if (leader === undefined) return false;
    this.#nodes.note(`transfer from ${leader.host.name}`);
    const limit = new AbortController();
    const moving = leader.group.transferLeadership(undefined, { signal: limit.signal }).catch(() => {});
    await Promise.race([moving, this.#world.sleep(2_000)]);
    limit.abort();
    return true;
  }
}
