/** Smoothed round trip to one peer. */
export interface RttEstimator {
  /** Takes a measured round trip in ms; what is no time (negative, NaN, infinite) is ignored. */
  add(sampleMs: number): void;
  /** SRTT in ms; undefined before the first sample. */
  readonly srttMs: number | undefined;
  /** RTTVAR in ms, how far samples stray from SRTT; undefined before the first sample. */
  readonly rttvarMs: number | undefined;
  /** Samples taken so far. */
  readonly samples: number;
}

/** RFC 6298 §2.3: the weight of a new sample in SRTT. */
const ALPHA = 1 / 8;
/** RFC 6298 §2.3: the weight of a new deviation in RTTVAR. */
const BETA = 1 / 4;

/**
 * An estimator as in RFC 6298 §2, in ms and without the retransmission timeout that TCP derives from it. The first
 * sample R gives SRTT = R and RTTVAR = R/2 (2.2); each further one RTTVAR = 3/4 RTTVAR + 1/4 |SRTT − R|, then
 * SRTT = 7/8 SRTT + 1/8 R (2.3), in this order.
 *
 * @example
 * const estimator = createRttEstimator();
 * estimator.add(100); // srttMs 100, rttvarMs 50
 * estimator.add(200); // srttMs 112.5, rttvarMs 62.5
 */
export function createRttEstimator(): RttEstimator {
  let srttMs: number | undefined;
  let rttvarMs: number | undefined;
  let samples = 0;
  return {
    get srttMs() {
      return srttMs;
    },
    get rttvarMs() {
      return rttvarMs;
    },
    get samples() {
      return samples;
    },
    add(sampleMs) {
      if (!(sampleMs >= 0 && sampleMs < Number.POSITIVE_INFINITY)) return;
      samples++;
      if (srttMs === undefined || rttvarMs === undefined) {
        srttMs = sampleMs;
        rttvarMs = sampleMs / 2;
        return;
      }
      rttvarMs = (1 - BETA) * rttvarMs + BETA * Math.abs(srttMs - sampleMs);
      srttMs = (1 - ALPHA) * srttMs + ALPHA * sampleMs;
    },
  };
}
