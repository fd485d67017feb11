/** One line of the outcome. For rates more is better, for times less. */
export interface Result {
  /** Stable, so that results can be compared over time: `link/64KiB`. */
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** What the same work cost the peer in the same run. */
  readonly peer: number;
  readonly peerName: string;
  /** How many times better than the peer we are: above 1 is faster, for rates and for times. */
  readonly ratio: number;
  /** Every single run, ours and the peer's, in the order they were taken. */
  readonly runs: readonly { readonly ours: number; readonly peer: number }[];
}

export interface Run {
  readonly ours: number;
  readonly peer: number;
}

/** The result of several runs: medians, which a single bad run does not move. */
export function resultOf(
  about: {
    readonly name: string;
    readonly unit: string;
    readonly peerName: string;
    readonly isTime?: boolean;
  },
  runs: readonly Run[],
): Result {
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

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
