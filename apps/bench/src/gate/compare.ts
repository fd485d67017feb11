/** How a ratio stands beside those that were recorded. */
export type Verdict = 'as recorded' | 'worse' | 'better' | 'not recorded' | 'not measured';

export interface Compared {
  readonly name: string;
  readonly recorded: readonly number[];
  /** The best of what was measured now; NaN when nothing was. */
  readonly now: number;
  /** What noise explains; undefined when nothing was recorded. */
  readonly bounds: Bounds | undefined;
  readonly verdict: Verdict;
}

export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** However well sessions agree: they were taken in one go, and the next one is on another day. */
const MARGIN_MIN = 0.1;

/**
 * Where a ratio may be by chance: as far beyond the worst and the best of the recorded sessions as these are from each
 * other, and by a tenth at least.
 */
export function boundsOf(recorded: readonly number[]): Bounds {
  const [low, high] = [Math.min(...recorded), Math.max(...recorded)];
  const spread = (high - low) / low;
  const margin = 1 + Math.max(MARGIN_MIN, spread);
  return { low: low / margin, high: high * margin };
}

/** Compares each of these results; of several measurements the best counts, as what disturbs them makes them worse. */
export function compare(
  names: readonly string[],
  recorded: Readonly<Record<string, readonly number[]>>,
  measured: readonly { readonly name: string; readonly ratio: number }[],
): Compared[] {
  return names.map((name) => {
    const ratios = measured.filter((one) => one.name === name).map(({ ratio }) => ratio);
    const finite = ratios.filter(Number.isFinite);
    const now = finite.length === 0 ? Number.NaN : Math.max(...finite);
    const known = recorded[name] ?? [];
    const bounds = known.length === 0 ? undefined : boundsOf(known);
    return { name, recorded: known, now, bounds, verdict: verdictOf(now, bounds) };
  });
}

function verdictOf(now: number, bounds: Bounds | undefined): Verdict {
  if (Number.isNaN(now)) return 'not measured';
  if (bounds === undefined) return 'not recorded';
  if (now < bounds.low) return 'worse';
  return now > bounds.high ? 'better' : 'as recorded';
}

/** Whether the gate is to let this pass: nothing is worse, and something was compared. */
export function isPassed(compared: readonly Compared[]): boolean {
  const isNone = (verdict: Verdict): boolean => compared.every((one) => one.verdict !== verdict);
  const isCompared = compared.some(({ verdict }) => verdict === 'as recorded' || verdict === 'better');
  return isNone('worse') && isCompared;
}
