import { compareIds, createScope, type PeerId, type Runtime, type Scope, uniqueId } from '@mosaik/primitives';
import { createWorld, type Host, type World } from '@mosaik/testing';
import type { Detector, DetectorHost, DetectorOptions, Rumour } from '../../src/detector/contract.ts';
import { createDetector } from '../../src/detector/create-detector.ts';
import type { EntryVersion } from '../../src/entry/peer-entry.ts';

/** What becomes of a ping: answered after so many ms, never answered, or the error it fails with. */
export type PingScript = number | 'silent' | Error;
/** What a helper says after 10 ms: the target answered it, or not; nothing at all; or the asking fails. */
export type HelperScript = 'yes' | 'no' | 'silent' | 'fails';

export const peerNamed = (name: string): PeerId => uniqueId<PeerId>(name);
export const version = (update: number, start = 1): EntryVersion => ({ start, update });
export const refused = (): Error => new Error('connection refused');

const HELPER_MS = 10;

/** Something the detector did, with the time since the beginning. */
export interface Act {
  readonly atMs: number;
  readonly what: 'ping' | 'pingThrough' | 'suspect' | 'dead' | 'declareDead' | 'refute' | 'rtt';
  readonly peer: PeerId;
  readonly helper?: PeerId;
  readonly rttMs?: number;
}

/** A host whose peers do as they are told, in virtual time; everything the detector does is in `acts`. */
export class ScriptedHost implements DetectorHost {
  readonly world: World;
  readonly process: Host;
  readonly runtime: Runtime;
  readonly scope: Scope;
  readonly self: PeerId = peerNamed('self');
  readonly detector: Detector;
  readonly acts: Act[] = [];
  readonly versions: Map<PeerId, EntryVersion> = new Map();
  readonly pings: Map<PeerId, PingScript> = new Map();
  readonly helpers: Map<PeerId, HelperScript> = new Map();
  readonly errors: Error[] = [];
  links: PeerId[] = [];
  pendingTimers = 0;
  pendingPings = 0;
  readonly #originMs: number;

  constructor(neighbours: readonly string[], options?: Partial<DetectorOptions>, seed = 1) {
    this.world = createWorld({ seed });
    this.process = this.world.host('self');
    this.runtime = this.#counting(this.process.runtime);
    this.#originMs = this.runtime.now();
    this.scope = createScope({
      runtime: this.runtime,
      name: 'self',
      onError: (error) => this.errors.push(error),
    });
    this.versions.set(this.self, version(0));
    for (const name of neighbours) this.add(name);
    this.detector = createDetector(this, options);
  }

  /** A member, and a neighbour unless told otherwise; it answers after 5 ms. */
  add(name: string, isNeighbour = true): PeerId {
    const peer = peerNamed(name);
    this.versions.set(peer, version(0));
    this.pings.set(peer, 5);
    this.helpers.set(peer, 'no');
    if (isNeighbour) this.links = [...this.links, peer].sort(compareIds);
    return peer;
  }

  async run(test: () => Promise<void>): Promise<void> {
    await this.world.run(async () => {
      await test();
      await this.scope.close();
    });
    if (this.errors.length > 0) throw this.errors[0]!;
  }

  get nowMs(): number {
    return this.runtime.now() - this.#originMs;
  }

  of(what: Act['what'], peer?: PeerId): Act[] {
    return this.acts.filter((act) => act.what === what && (peer === undefined || act.peer === peer));
  }

  /** Waits for the next such act from now on. */
  async next(what: Act['what'], peer?: PeerId): Promise<Act> {
    const before = this.of(what, peer).length;
    await this.world.until(() => this.of(what, peer).length > before);
    return this.of(what, peer)[before]!;
  }

  neighbours(): readonly PeerId[] {
    return this.links;
  }

  members(): readonly PeerId[] {
    return [...this.versions.keys()].sort(compareIds);
  }

  versionOf(peer: PeerId): EntryVersion | undefined {
    return this.versions.get(peer);
  }

  ping(peer: PeerId, signal: AbortSignal): Promise<number> {
    this.#note({ what: 'ping', peer });
    const script = this.pings.get(peer) ?? 'silent';
    const sentAtMs = this.runtime.now();
    this.pendingPings++;
    return this.#reply(script, signal, () => this.runtime.now() - sentAtMs).finally(
      () => this.pendingPings--,
    );
  }

  pingThrough(helper: PeerId, peer: PeerId, signal: AbortSignal): Promise<boolean> {
    this.#note({ what: 'pingThrough', peer, helper });
    const says = this.helpers.get(helper) ?? 'silent';
    if (says === 'fails') return Promise.reject(new Error('the helper is gone'));
    return this.#reply(says === 'silent' ? 'silent' : HELPER_MS, signal, () => says === 'yes');
  }

  spread(rumour: Rumour): void {
    this.#note({ what: rumour.kind, peer: rumour.peer });
  }

  declareDead(peer: PeerId): void {
    this.#note({ what: 'declareDead', peer });
    this.versions.delete(peer);
    this.links = this.links.filter((other) => other !== peer);
    this.detector.onGone(peer);
  }

  refute(): void {
    this.#note({ what: 'refute', peer: this.self });
    const own = this.versions.get(this.self)!;
    this.versions.set(this.self, version(own.update + 1));
  }

  rtt(peer: PeerId, rttMs: number): void {
    this.#note({ what: 'rtt', peer, rttMs });
  }

  /** Deliveries are not counted as timers: they are the network's. */
  #reply<T>(script: PingScript, signal: AbortSignal, answer: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (script instanceof Error) this.process.runtime.setTimer(2, () => reject(script));
      else if (script !== 'silent') this.process.runtime.setTimer(script, () => resolve(answer()));
    });
  }

  #note(act: Omit<Act, 'atMs'>): void {
    this.acts.push({ atMs: this.nowMs, ...act });
  }

  #counting(runtime: Runtime): Runtime {
    const setTimer: Runtime['setTimer'] = (delayMs, callback) => {
      let isOpen = true;
      const close = (): void => {
        if (isOpen) this.pendingTimers--;
        isOpen = false;
      };
      this.pendingTimers++;
      const timer = runtime.setTimer(delayMs, () => {
        close();
        callback();
      });
      return {
        cancel: () => {
          close();
          timer.cancel();
        },
      };
    };
    return {
      now: () => runtime.now(),
      wallNow: () => runtime.wallNow(),
      setTimer,
      yieldTo: (callback) => runtime.yieldTo(callback),
      random: () => runtime.random(),
      randomBytes: (count) => runtime.randomBytes(count),
    };
  }
}
