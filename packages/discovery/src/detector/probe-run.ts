import { AbortedError, abortable, ClosedError, type PeerId, type Timer, toError } from '@mosaik/primitives';
import { LinkEndedError, PeerUnreachableError } from '@mosaik/transport';
import type { EntryVersion } from '../entry/peer-entry.ts';
import type { DetectorHost } from './contract.ts';
import type { StallWatch } from './stall-watch.ts';

/** Made once: a stack a probe would cost more than the probe. */
const OVER = new AbortedError('the probe is over');

/** How a probe ended. */
export type ProbeOutcome =
  /** By the peer itself; late when helpers had been asked already. */
  | { readonly kind: 'answered'; readonly rttMs: number; readonly isLate: boolean }
  /** The peer answered a helper. */
  | { readonly kind: 'reached' }
  /** It answered nobody; refused when even a dial failed for sure. */
  | { readonly kind: 'silent'; readonly isRefused: boolean };

/** What a probe is of, and how long it waits. */
export interface ProbePlan {
  readonly target: PeerId;
  /** The version held when it began. */
  readonly version: EntryVersion;
  /** Whether it was begun because the connection was lost. */
  readonly isLost: boolean;
  /** For the direct probe, and again for the indirect ones. */
  readonly timeoutMs: number;
  /** Chosen when they are needed. */
  readonly chooseHelpers: () => readonly PeerId[];
}

/** Told once how a probe ended, with the number of helpers that did not even say no. Not told of one that was cancelled. */
export type ProbeListener = (run: ProbeRun, outcome: ProbeOutcome, missingNacks: number) => void;

/**
 * One probe (SWIM §3.1): a ping; when it fails, or is not answered in time, pings by helpers. The direct one stays open
 * meanwhile, and its late answer counts as well. Ends after two timeouts at the latest.
 */
export class ProbeRun {
  readonly plan: ProbePlan;
  readonly startedAtMs: number;
  readonly #host: DetectorHost;
  readonly #watch: StallWatch;
  readonly #onEnd: ProbeListener;
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  #phase: 'direct' | 'indirect' | 'over' = 'direct';
  #direct: 'open' | 'failed' | 'refused' = 'open';
  #helpersOpen = 0;
  #missingNacks = 0;

  constructor(host: DetectorHost, watch: StallWatch, plan: ProbePlan, onEnd: ProbeListener) {
    this.#host = host;
    this.#watch = watch;
    this.#onEnd = onEnd;
    this.plan = plan;
    this.startedAtMs = host.runtime.now();
  }

  start(): void {
    const { signal } = this.#abort;
    this.#timer = this.#watch.after(this.plan.timeoutMs, () => this.#askHelpers());
    this.#ask(
      async () => this.#host.ping(this.plan.target, signal),
      (rttMs) => this.#end({ kind: 'answered', rttMs, isLate: this.#phase === 'indirect' }),
      (error) => this.#onPingFailed(error),
    );
  }

  /** Gives it up; nobody is told. */
  cancel(): void {
    if (this.#isOver()) return;
    this.#phase = 'over';
    this.#timer?.cancel();
    this.#abort.abort(OVER);
  }

  /** Runs what waits for others as a task of the scope; what comes of it after the end is ignored. */
  #ask<T>(work: () => Promise<T>, onAnswer: (answer: T) => void, onFailure: (error: Error) => void): void {
    const { signal } = this.#abort;
    const ifOpen = (act: () => void): void => {
      if (this.#host.scope.isClosing) this.cancel();
      // A stall, when there was one, ends this probe before its result can be judged.
      if (!this.#isOver()) this.#watch.look();
      if (!this.#isOver()) act();
    };
    this.#host.scope.spawn('probe', () =>
      abortable(work(), 'a probe', { signal }).then(
        (answer) => ifOpen(() => onAnswer(answer)),
        (thrown) => ifOpen(() => onFailure(toError(thrown))),
      ),
    );
  }

  #isOver(): boolean {
    return this.#phase === 'over';
  }

  #onPingFailed(error: Error): void {
    this.#direct = isSureFailure(error) ? 'refused' : 'failed';
    if (this.#phase === 'direct') this.#askHelpers();
    else this.#endIfHopeless();
  }

  #askHelpers(): void {
    if (this.#phase !== 'direct') return;
    const { target, timeoutMs } = this.plan;
    const { signal } = this.#abort;
    this.#phase = 'indirect';
    this.#timer?.cancel();
    this.#timer = this.#watch.after(timeoutMs, () => this.#onTimeUp());
    const helpers = this.plan.chooseHelpers();
    this.#helpersOpen = helpers.length;
    for (const helper of helpers) {
      this.#ask(
        async () => this.#host.pingThrough(helper, target, signal),
        (isAlive) => this.#onHelper(isAlive),
        () => this.#onHelperSilent(),
      );
    }
    this.#endIfHopeless();
  }

  #onHelper(isAlive: boolean): void {
    this.#helpersOpen--;
    if (isAlive) this.#end({ kind: 'reached' });
    else this.#endIfHopeless();
  }

  #onHelperSilent(): void {
    this.#helpersOpen--;
    this.#missingNacks++;
    this.#endIfHopeless();
  }

  #onTimeUp(): void {
    if (this.#isOver()) return;
    this.#missingNacks += this.#helpersOpen;
    this.#end({ kind: 'silent', isRefused: this.#direct === 'refused' });
  }

  #endIfHopeless(): void {
    if (this.#direct === 'open' || this.#helpersOpen > 0) return;
    this.#end({ kind: 'silent', isRefused: this.#direct === 'refused' });
  }

  #end(outcome: ProbeOutcome): void {
    this.cancel();
    this.#onEnd(this, outcome, this.#missingNacks);
  }
}

/** How deep errors are looked into for why they came about. */
const CAUSES_MAX = 8;

/**
 * Whether a ping failed for sure: not because time ran out, because somebody gave it up, because it met the old
 * connection instead of a new one, or because there was no address to dial.
 */
function isSureFailure(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > CAUSES_MAX) return true;
  if (UNSURE.some((kind) => error instanceof kind)) return false;
  // By name, as the platform throws them too.
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return false;
  if (error instanceof PeerUnreachableError && error.addresses.length === 0) return false;
  const causes: unknown[] = error instanceof AggregateError ? [error.cause, ...error.errors] : [error.cause];
  return causes.every((cause) => isSureFailure(cause, depth + 1));
}

const UNSURE = [AbortedError, ClosedError, LinkEndedError] as const;
