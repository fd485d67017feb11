import { type PeerId, sample } from '@mosaik/primitives';
import type { DetectorHost } from './contract.ts';
import { type ProbeListener, ProbeRun } from './probe-run.ts';
import type { StallWatch } from './stall-watch.ts';

/** Probes under way at once; further ones wait for their turn, one a peer. */
const PROBES_MAX = 64;

/** What the pool is told from outside. */
export interface ProbePoolParts {
  readonly host: DetectorHost;
  readonly watch: StallWatch;
  /** Members asked to probe in our stead. */
  readonly indirectProbes: number;
  /** The timeout of a probe that begins now, in ms. */
  readonly timeoutMs: () => number;
  /** Whether a peer is not to be asked for help. */
  readonly isDoubtful: (peer: PeerId) => boolean;
  readonly onEnd: ProbeListener;
}

/** The probes under way. Invariant: at most one a peer, and no more than {@link PROBES_MAX}. */
export class ProbePool {
  readonly #parts: ProbePoolParts;
  readonly #runs = new Map<PeerId, ProbeRun>();
  /** Peers to be probed once there is room, and whether their connection was lost. */
  readonly #waiting = new Map<PeerId, boolean>();

  constructor(parts: ProbePoolParts) {
    this.#parts = parts;
    const { signal } = parts.host.scope;
    signal.addEventListener('abort', () => this.#close(), { once: true });
  }

  /** Probes under way now. */
  get size(): number {
    return this.#runs.size;
  }

  /** Begins a probe of a member, unless one is under way. */
  launch(target: PeerId, isLost = false): void {
    const { host } = this.#parts;
    const version = host.versionOf(target);
    if (host.scope.isClosing || target === host.self || version === undefined || this.#runs.has(target))
      return;
    if (this.#runs.size >= PROBES_MAX) {
      this.#waiting.set(target, isLost || this.#waiting.get(target) === true);
      return;
    }
    const plan = {
      target,
      version,
      isLost,
      timeoutMs: this.#parts.timeoutMs(),
      chooseHelpers: () => this.#helpersFor(target),
    };
    const run = new ProbeRun(host, this.#parts.watch, plan, (...end) => this.#onEnd(...end));
    this.#runs.set(target, run);
    run.start();
  }

  /** Begins anew, with a dial: a probe under way was over the connection that is lost. */
  launchLost(target: PeerId): void {
    this.#runs.get(target)?.cancel();
    this.#runs.delete(target);
    this.launch(target, true);
  }

  /** Gives up what is under way to a peer. */
  forget(target: PeerId): void {
    this.#waiting.delete(target);
    this.#runs.get(target)?.cancel();
    if (this.#runs.delete(target)) this.#launchWaiting();
  }

  /** Discards what the probes under way have found and begins them anew. */
  restart(): void {
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    for (const run of runs) run.cancel();
    for (const { plan } of runs) this.launch(plan.target, plan.isLost);
  }

  readonly #onEnd: ProbeListener = (run, outcome, missingNacks) => {
    this.#runs.delete(run.plan.target);
    this.#parts.onEnd(run, outcome, missingNacks);
    this.#launchWaiting();
  };

  #launchWaiting(): void {
    for (const [peer, isLost] of this.#waiting) {
      if (this.#runs.size >= PROBES_MAX) return;
      this.#waiting.delete(peer);
      this.launch(peer, isLost);
    }
  }

  /** Neighbours at random, as they answer without a dial; other members where there are too few of them. */
  #helpersFor(target: PeerId): PeerId[] {
    const { host, indirectProbes, isDoubtful } = this.#parts;
    const isUsable = (peer: PeerId): boolean => peer !== target && peer !== host.self && !isDoubtful(peer);
    const neighbours = host.neighbours().filter(isUsable);
    const helpers = sample(host.runtime, neighbours, indirectProbes);
    if (helpers.length === indirectProbes) return helpers;
    const known = new Set(neighbours);
    const others = host.members().filter((peer) => isUsable(peer) && !known.has(peer));
    return helpers.concat(sample(host.runtime, others, indirectProbes - helpers.length));
  }

  #close(): void {
    this.#waiting.clear();
    for (const run of this.#runs.values()) run.cancel();
    this.#runs.clear();
  }
}
