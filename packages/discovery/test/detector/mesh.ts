import {
  compareIds,
  createScope,
  type PeerId,
  type Runtime,
  type Scope,
  uniqueId,
  waitFor,
  withTimeout,
} from '@mosaik/primitives';
import { createWorld, type Host, type World } from '@mosaik/testing';
import type { Detector, DetectorHost, DetectorOptions, Rumour } from '../../src/detector/contract.ts';
import { createDetector, detectorDefaults, nackAfterMs } from '../../src/detector/create-detector.ts';
import { compareVersions, type EntryVersion } from '../../src/entry/peer-entry.ts';

/** How a {@link Mesh} is made. */
export interface MeshOptions {
  readonly seed: number | string;
  readonly nodes: number;
  /** Neighbours that each node asks for; it has about twice as many. */
  readonly asksFor: number;
  /** The share of messages that arrive a second late. */
  readonly lateShare: number;
  readonly detector?: Partial<DetectorOptions>;
}

/** A node declared another one dead. */
export interface Death {
  readonly atMs: number;
  readonly by: MeshNode;
  readonly peer: PeerId;
  /** Its own judgement; otherwise it took another's word. */
  readonly isOwn: boolean;
}

const LATE_MS = 1000;
const DELAY_MIN_MS = 1;
const DELAY_SPAN_MS = 20;

/** A network of detectors without any transport: messages are timers of the host they go to. */
export class Mesh {
  readonly world: World;
  readonly nodes: readonly MeshNode[];
  readonly byId: ReadonlyMap<PeerId, MeshNode>;
  readonly deaths: Death[] = [];
  readonly options: MeshOptions;
  suspicions = 0;
  messages = 0;

  constructor(options: MeshOptions) {
    this.options = options;
    this.world = createWorld({ seed: options.seed });
    const hosts = Array.from({ length: options.nodes }, (_, index) => this.world.host(`node${index}`));
    this.nodes = hosts.map((host) => new MeshNode(this, host));
    this.byId = new Map(this.nodes.map((node) => [node.self, node]));
    for (const node of this.nodes)
      for (const other of this.nodes) node.held.set(other.self, { start: 0, update: 0 });
    for (const [index, node] of this.nodes.entries()) this.#connect(node, index);
  }

  /** With the next one in line, so that the mesh hangs together, and with some at random. */
  #connect(node: MeshNode, index: number): void {
    const next = this.nodes[(index + 1) % this.nodes.length]!;
    const others = Array.from({ length: this.options.asksFor - 1 }, () => this.pick());
    for (const other of [next, ...others]) {
      if (other === node) continue;
      node.links.add(other.self);
      other.links.add(node.self);
    }
  }

  pick(): MeshNode {
    return this.nodes[Math.floor(this.world.runtime.random() * this.nodes.length)]!;
  }

  start(): void {
    for (const node of this.nodes) node.detector.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => (node.isUp ? node.scope.close() : undefined)));
  }

  /** Delivers to a host, at a time of the network's choosing; never when it is down. */
  deliver(to: MeshNode, act: () => void, hops = 1): void {
    this.messages++;
    to.runtime.setTimer(this.#delayMs(hops), act);
  }

  #delayMs(hops: number): number {
    const { runtime } = this.world;
    let delayMs = 0;
    for (let hop = 0; hop < hops; hop++) {
      delayMs += DELAY_MIN_MS + DELAY_SPAN_MS * runtime.random();
      if (runtime.random() < this.options.lateShare) delayMs += LATE_MS;
    }
    return delayMs;
  }

  /** To everybody else, over a few hops. */
  gossip(from: MeshNode, act: (node: MeshNode) => void): void {
    for (const node of this.nodes) if (node !== from) this.deliver(node, () => act(node), 3);
  }
}

/** One node: a catalog of versions, static links, and its detector. */
export class MeshNode implements DetectorHost {
  readonly self: PeerId;
  readonly runtime: Runtime;
  readonly scope: Scope;
  readonly detector: Detector;
  readonly held: Map<PeerId, EntryVersion> = new Map();
  readonly links: Set<PeerId> = new Set();
  readonly rtts: number[] = [];
  readonly mesh: Mesh;
  readonly host: Host;
  /** Versions declared dead: an entry comes back only when it is newer. */
  readonly #graves = new Map<PeerId, EntryVersion>();
  #hearing = false;

  constructor(mesh: Mesh, host: Host) {
    this.mesh = mesh;
    this.host = host;
    this.self = uniqueId<PeerId>(host.name);
    this.runtime = host.runtime;
    const onError = (error: Error): void => {
      throw error;
    };
    this.scope = createScope({ runtime: host.runtime, name: host.name, onError });
    this.detector = createDetector(this, mesh.options.detector);
  }

  get isUp(): boolean {
    return this.host.isUp;
  }

  neighbours(): readonly PeerId[] {
    return [...this.links].filter((peer) => this.held.has(peer)).sort(compareIds);
  }

  members(): readonly PeerId[] {
    return [...this.held.keys()].sort(compareIds);
  }

  versionOf(peer: PeerId): EntryVersion | undefined {
    return this.held.get(peer);
  }

  async ping(peer: PeerId, signal: AbortSignal): Promise<number> {
    const sentAtMs = this.runtime.now();
    await this.#ask(peer, signal, async () => true);
    return this.runtime.now() - sentAtMs;
  }

  pingThrough(helper: PeerId, target: PeerId, signal: AbortSignal): Promise<boolean> {
    return this.#ask(helper, signal, (node) => node.#probeFor(target));
  }

  spread(rumour: Rumour): void {
    if (rumour.kind === 'suspect') this.mesh.suspicions++;
    this.mesh.gossip(this, (node) => node.#hear(rumour));
  }

  declareDead(peer: PeerId, version: EntryVersion): void {
    this.held.delete(peer);
    this.#graves.set(peer, version);
    this.detector.onGone(peer);
    this.mesh.deaths.push({ atMs: this.mesh.world.now, by: this, peer, isOwn: !this.#hearing });
  }

  refute(): void {
    const own = this.held.get(this.self)!;
    const version = { start: own.start, update: own.update + 1 };
    this.held.set(this.self, version);
    this.mesh.gossip(this, (node) => node.#take(this.self, version));
  }

  rtt(_peer: PeerId, rttMs: number): void {
    this.rtts.push(rttMs);
  }

  #take(peer: PeerId, version: EntryVersion): void {
    const known = this.held.get(peer) ?? this.#graves.get(peer);
    if (known !== undefined && compareVersions(version, known) <= 0) return;
    this.held.set(peer, version);
    this.detector.onEntry(peer, version);
  }

  #hear(rumour: Rumour): void {
    this.#hearing = true;
    const verdict = this.detector.hear(rumour);
    this.#hearing = false;
    const subject = this.mesh.byId.get(rumour.peer)!;
    if (verdict === 'doubted') this.mesh.deliver(subject, () => subject.#hear(rumour));
  }

  async #probeFor(target: PeerId): Promise<boolean> {
    const options = { ...detectorDefaults, ...this.mesh.options.detector };
    const limit = { what: 'a probe for another', timeoutMs: nackAfterMs(options) };
    return withTimeout(this.runtime, limit, (signal) => this.ping(target, signal)).then(
      () => true,
      () => false,
    );
  }

  /** There and back; never settled by the other side when that is down. */
  #ask<T>(peer: PeerId, signal: AbortSignal, work: (node: MeshNode) => Promise<T>): Promise<T> {
    const other = this.mesh.byId.get(peer)!;
    return waitFor<T>('an answer', signal, (resolve, reject) => {
      const answer = (value: T): void => this.mesh.deliver(this, () => resolve(value));
      this.mesh.deliver(other, () => void work(other).then(answer, reject));
      return () => {};
    });
  }
}
