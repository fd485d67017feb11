/** One line of the outcome. For rates more is better, for times less. */
export interface Result {
  /** Stable, so that results can be compared over time: `link/64KiB`. */
  readonly name: string;
  readonly unit: string;
  /** The median; NaN, in JSON null, when this was not measured. */
  readonly ours: number;
  /** What the same work cost the peer in the same session; NaN, in JSON null, when there was none to measure. */
  readonly peer: number;
  readonly peerName: string;
  /** How many times better than the peer we are: above 1 is faster, for rates and for times. */
  readonly ratio: number;
  /** Every single run, ours and the peer's, in the order they were taken. */
  readonly runs: readonly Run[];
}

export interface Run {
  readonly ours: number;
  readonly peer: number;
}

/** What a result is called, and how it is read. */
export interface ResultName {
  readonly name: string;
  readonly unit: string;
  readonly peerName: string;
  /** Less is better: times, and what is used up. */
  readonly isTime?: boolean;
}

/** The result of several runs: medians, which a single bad run does not move. */
export function resultOf(
  about: ResultName,
  taken: readonly { readonly ours: number | undefined; readonly peer: number | undefined }[],
): Result {
  const runs = taken.map(({ ours = Number.NaN, peer = Number.NaN }) => ({ ours, peer }));
  const ours = median(runs.map((run) => run.ours));
  const peer = median(runs.map((run) => run.peer));
  const { name, unit, peerName } = about;
  return { name, unit, ours, peer, peerName, ratio: about.isTime ? peer / ours : ours / peer, runs };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The value that this share of all values is below; undefined where nothing was measured. */
export function percentile(values: readonly number[] | undefined, share: number): number | undefined {
  if (values === undefined) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

const SHARES = [0.5, 0.99];

/** What the results about round trips of a suite are called; those beside a second peer have a suffix. */
export function roundTripNames(suite: string, suffix = ''): string[] {
  return SHARES.map((share) => `${suite}/rtt-p${share * 100}${suffix}`);
}

/** The results of runs of many round trips each, in milliseconds. */
export function roundTripResults(
  suite: string,
  peerName: string,
  taken: readonly {
    readonly ours: readonly number[] | undefined;
    readonly peer: readonly number[] | undefined;
  }[],
  suffix = '',
): Result[] {
  return SHARES.map((share) =>
    resultOf(
      { name: `${suite}/rtt-p${share * 100}${suffix}`, unit: 'ms', peerName, isTime: true },
      taken.map(({ ours, peer }) => ({ ours: percentile(ours, share), peer: percentile(peer, share) })),
    ),
  );
}
