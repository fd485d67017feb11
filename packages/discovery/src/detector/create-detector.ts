import { invariant, type PeerId } from '@mosaik/primitives';
import { compareVersions, type EntryVersion } from '../entry/peer-entry.ts';
import { Contacts } from './contacts.ts';
import type { Detector, DetectorHost, DetectorOptions, Rumour, RumourVerdict } from './contract.ts';
import { Health } from './health.ts';
import { resolveDetectorOptions } from './options.ts';
import { ProbePool } from './probe-pool.ts';
import { ProbeRing } from './probe-ring.ts';
import type { ProbeOutcome, ProbeRun } from './probe-run.ts';
import { Refuter } from './refuter.ts';
import { StallWatch } from './stall-watch.ts';
import { Suspicions } from './suspicions.ts';

export { detectionBoundMs, detectorDefaults, nackAfterMs } from './options.ts';

/** Probes of a lost peer in the time it has: its process may be back, and the first may have met the old connection. */
const LOST_PROBES = 4;

/**
 * A failure detector as in SWIM (Das, Gupta, Motivala 2002), with the local health awareness of Lifeguard (Dadgar,
 * Phillips, Currey 2018). Two things differ: a node probes its neighbours, each once per interval, not one random
 * member, as every member is the neighbour of some; and it declares dead only whom it could not reach itself.
 *
 * A crash is noticed within `detectionBoundMs` by each neighbour that is well. All of the detector's work belongs to
 * the host's scope and ends with it.
 *
 * @throws {InvalidArgumentError} when an option is out of range.
 */
export function createDetector(host: DetectorHost, options: Partial<DetectorOptions> = {}): Detector {
  return new SwimDetector(host, resolveDetectorOptions(options));
}

class SwimDetector implements Detector {
  readonly #host: DetectorHost;
  readonly #options: DetectorOptions;
  readonly #health = new Health();
  readonly #watch: StallWatch;
  readonly #ring: ProbeRing;
  readonly #contacts: Contacts;
  readonly #probes: ProbePool;
  readonly #suspicions: Suspicions;
  readonly #refuter: Refuter;
  /** When a probe last found a peer alive. Invariant: only of peers in the catalog. */
  readonly #aliveAtMs = new Map<PeerId, number>();
  #isStarted = false;

  constructor(host: DetectorHost, options: DetectorOptions) {
    const health = this.#health;
    const watch = new StallWatch(host.scope, options.probeTimeoutMs / 2, (ms) => this.#onStall(ms));
    this.#host = host;
    this.#options = options;
    this.#watch = watch;
    this.#ring = new ProbeRing(host.runtime, options);
    const onDue = (peer: PeerId): void => this.#onDue(peer);
    this.#contacts = new Contacts({ runtime: host.runtime, watch, options, onDue });
    this.#refuter = new Refuter(host, watch, () => health.worsen());
    const onExpire = (peer: PeerId, version: EntryVersion): void => this.#onExpire(peer, version);
    this.#suspicions = new Suspicions({ host, options, watch, health, onExpire });
    this.#probes = new ProbePool({
      host,
      watch,
      indirectProbes: options.indirectProbes,
      timeoutMs: () => options.probeTimeoutMs * health.factor,
      isDoubtful: (peer) => this.#suspicions.has(peer),
      onEnd: (run, outcome, missingNacks) => this.#onProbed(run, outcome, missingNacks),
    });
  }

  get suspects(): readonly PeerId[] {
    return this.#suspicions.peers;
  }

  get health(): number {
    return this.#health.score;
  }

  start(): void {
    invariant(!this.#isStarted, 'a detector starts once');
    this.#isStarted = true;
    this.#watch.pulse(this.#ring.stepMs() * this.#host.runtime.random(), () => this.#step());
  }

  hear(rumour: Rumour): RumourVerdict {
    const { peer, version, by } = rumour;
    if (this.#host.scope.isClosing || by === this.#host.self) return 'stale';
    this.#watch.look();
    if (peer === this.#host.self) return this.#refuter.hear(version);
    const held = this.#host.versionOf(peer);
    if (held === undefined || compareVersions(version, held) < 0) return 'stale';
    if (this.#isKnownAlive(peer)) return 'doubted';
    if (rumour.kind === 'dead') this.#declareDead(peer, version);
    else this.#hearSuspicion(rumour);
    return 'noted';
  }

  onHeard(peer: PeerId): void {
    if (this.#host.scope.isClosing) return;
    this.#watch.look();
    // A node that doubts itself goes on asking: how it is answered shows that it is well again.
    const counts = this.#health.score === 0 && !this.#suspicions.has(peer);
    if (counts && this.#host.versionOf(peer) !== undefined) this.#contacts.made(peer);
  }

  onConnectionLost(peer: PeerId): void {
    if (this.#host.scope.isClosing) return;
    this.#watch.look();
    this.#probes.launchLost(peer);
  }

  onReleased(peer: PeerId): void {
    if (!this.#suspicions.has(peer)) this.#probes.forget(peer);
  }

  onEntry(peer: PeerId, version: EntryVersion): void {
    this.#suspicions.clear(peer, version);
  }

  onGone(peer: PeerId): void {
    this.#probes.forget(peer);
    this.#suspicions.clear(peer);
    this.#contacts.forget(peer);
    this.#aliveAtMs.delete(peer);
  }

  #step(): void {
    const peer = this.#ring.step(this.#host.neighbours());
    this.#watch.pulse(this.#ring.stepMs(), () => this.#step());
    if (peer !== undefined && !this.#contacts.isRecent(peer)) this.#probe(peer);
  }

  #onDue(peer: PeerId): void {
    if (this.#host.neighbours().includes(peer)) this.#probe(peer);
  }

  #probe(peer: PeerId): void {
    // A suspect is probed at times of its own.
    if (this.#suspicions.has(peer)) return;
    this.#contacts.made(peer);
    this.#probes.launch(peer);
  }

  #isKnownAlive(peer: PeerId): boolean {
    const aliveAtMs = this.#aliveAtMs.get(peer);
    return aliveAtMs !== undefined && this.#host.runtime.now() - aliveAtMs <= this.#options.probeIntervalMs;
  }

  /** Those who can look for themselves do so at once, so that a confirmation is no mere echo. */
  #hearSuspicion({ peer, version, by }: Rumour): void {
    this.#suspicions.confirm(peer, version, by);
    if (this.#host.neighbours().includes(peer)) this.#probes.launch(peer);
  }

  #onProbed(run: ProbeRun, outcome: ProbeOutcome, missingNacks: number): void {
    this.#health.worsen(missingNacks);
    if (outcome.kind === 'silent') this.#onSilence(run, outcome.isRefused);
    else this.#onAlive(run.plan.target, outcome);
  }

  #onAlive(target: PeerId, outcome: Exclude<ProbeOutcome, { kind: 'silent' }>): void {
    // An answer that came late, or only to a helper, speaks against this node rather than against the peer.
    if (outcome.kind === 'answered' && !outcome.isLate) this.#health.recover();
    else this.#health.worsen();
    this.#aliveAtMs.set(target, this.#host.runtime.now());
    this.#suspicions.clear(target);
    if (outcome.kind === 'answered') this.#host.rtt(target, outcome.rttMs);
  }

  #onSilence(run: ProbeRun, isRefused: boolean): void {
    const { target, version, isLost } = run.plan;
    const held = this.#host.versionOf(target);
    if (held === undefined) {
      this.onGone(target);
    } else if (compareVersions(held, version) > 0) {
      // It has spoken since the probe began: what the probe found is of an older entry.
      this.#probes.launch(target, isLost);
    } else {
      this.#suspect(run, isRefused);
    }
  }

  #suspect(run: ProbeRun, isRefused: boolean): void {
    const { target, version, isLost } = run.plan;
    this.#aliveAtMs.delete(target);
    if (this.#suspicions.raise(target, version, isLost && isRefused)) {
      this.#host.spread({ kind: 'suspect', peer: target, version, by: this.#host.self });
    }
    this.#probeAgain(run);
  }

  #probeAgain({ plan, startedAtMs }: ProbeRun): void {
    const { target, isLost } = plan;
    const { lostSuspicionMs, probeIntervalMs } = this.#options;
    const nextAtMs = startedAtMs + (isLost ? lostSuspicionMs / LOST_PROBES : probeIntervalMs);
    this.#watch.after(Math.max(0, nextAtMs - this.#host.runtime.now()), () => {
      if (this.#suspicions.has(target)) this.#probes.launch(target, isLost);
    });
  }

  #onExpire(peer: PeerId, version: EntryVersion): void {
    this.#host.spread({ kind: 'dead', peer, version, by: this.#host.self });
    this.#declareDead(peer, version);
  }

  #declareDead(peer: PeerId, version: EntryVersion): void {
    this.onGone(peer);
    this.#host.declareDead(peer, version);
  }

  #onStall(stalledMs: number): void {
    this.#health.worsen();
    this.#suspicions.extend(stalledMs);
    this.#probes.restart();
  }
}
