import { InvalidArgumentError } from '@mosaik/primitives';
import type { DetectorOptions } from './contract.ts';

/** Defaults for a LAN; {@link detectionBoundMs} of them is 4500. */
export const detectorDefaults: DetectorOptions = {
  probeIntervalMs: 1000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  suspicionMs: 2500,
  confirmedSuspicionMs: 2000,
  lostSuspicionMs: 1000,
};

/** Others that must suspect a peer too for the shortest suspicion (Lifeguard §IV-B, K). */
export const CONFIRMATIONS_NEEDED = 2;

/** A helper gives up after this share of the probe timeout, so that its no arrives in time (Lifeguard §IV-A: 80 %). */
const NACK_SHARE = 0.8;

/**
 * The options with defaults for what is missing.
 *
 * @throws {InvalidArgumentError} when a time is not above 0, the confirmed suspicion is longer than the other, or
 * `indirectProbes` is no whole number of 0 or more.
 */
export function resolveDetectorOptions(options: Partial<DetectorOptions> = {}): DetectorOptions {
  const resolved = { ...detectorDefaults };
  for (const name of Object.keys(resolved) as (keyof DetectorOptions)[]) {
    const value = options[name];
    if (value !== undefined) Object.assign(resolved, { [name]: required(name, value) });
  }
  if (resolved.confirmedSuspicionMs > resolved.suspicionMs) {
    throw new InvalidArgumentError('confirmedSuspicionMs', 'at most suspicionMs');
  }
  return resolved;
}

function required(name: keyof DetectorOptions, value: number): number {
  if (name === 'indirectProbes') {
    if (Number.isInteger(value) && value >= 0) return value;
    throw new InvalidArgumentError(name, `a whole number of 0 or more, not ${value}`);
  }
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new InvalidArgumentError(name, `a finite number above 0, not ${value}`);
}

/** When a helper that was asked to probe gives up and answers no, in ms. */
export function nackAfterMs(options: Pick<DetectorOptions, 'probeTimeoutMs'>): number {
  return options.probeTimeoutMs * NACK_SHARE;
}

/**
 * The longest time between a crash and a neighbour of the crashed peer declaring it dead, in ms, by a node that is well
 * and hears of nobody else's suspicion:
 *
 *     probeIntervalMs        it had just answered
 *     + probeTimeoutMs       the direct probe
 *     + probeTimeoutMs       the indirect ones
 *     + suspicionMs          its time to refute
 *
 * To this comes the time the rumour takes to spread. With health h > 0, all but the first are multiplied by
 * min(h + 1, 4). A process that is killed loses its connections and refuses new ones: `lostSuspicionMs`, and a few
 * round trips.
 */
export function detectionBoundMs(options: DetectorOptions): number {
  return options.probeIntervalMs + 2 * options.probeTimeoutMs + options.suspicionMs;
}

/** What the length of a suspicion depends upon. */
export interface SuspicionState {
  /** Its connection was lost, and a dial refused. */
  readonly isLost: boolean;
  /** Others that suspect the same version. */
  readonly confirmations: number;
  /** See `Health.factor`. */
  readonly factor: number;
}

/**
 * How long a suspect has to refute, in ms. It falls from `suspicionMs` to `confirmedSuspicionMs` with each other node that
 * suspects the same, by Lifeguard §IV-B: max − (max − min) · log(C + 1) / log(K + 1), never below min.
 */
export function suspicionTimeMs(options: DetectorOptions, state: SuspicionState): number {
  const { suspicionMs, confirmedSuspicionMs, lostSuspicionMs } = options;
  const confirmed = Math.min(state.confirmations, CONFIRMATIONS_NEEDED);
  const share = Math.log(confirmed + 1) / Math.log(CONFIRMATIONS_NEEDED + 1);
  const silentMs = suspicionMs - (suspicionMs - confirmedSuspicionMs) * share;
  return state.factor * (state.isLost ? Math.min(lostSuspicionMs, silentMs) : silentMs);
}
