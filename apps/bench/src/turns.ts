/** What is compared: ours, and the peer, of which either may be missing on this machine. */
export interface Sides<T> {
  readonly ours?: T | undefined;
  readonly peer?: T | undefined;
}

export interface TakeOptions<T, Figure> {
  readonly runs: number;
  /** Takes one figure of a side. */
  readonly take: (side: T) => Promise<Figure>;
  /** Run once for each side before the first figure, and not counted. */
  readonly warmUp?: (side: T) => Promise<unknown>;
}

/** {@link takeTurns} for two. */
export async function inTurns<T, Figure>(
  { ours, peer }: Sides<T>,
  options: TakeOptions<T, Figure>,
): Promise<{ readonly ours: Figure | undefined; readonly peer: Figure | undefined }[]> {
  const rounds = await takeTurns([ours, peer], options);
  return rounds.map(([oursTaken, peerTaken]) => ({ ours: oursTaken, peer: peerTaken }));
}

/**
 * Measures all sides in turns, so that what slows the machine for a while slows each of them; who is first changes from round
 * to round. A round has a figure for each side, in their order; that of a missing side is undefined.
 */
export async function takeTurns<T, Figure>(
  sides: readonly (T | undefined)[],
  { runs, take, warmUp }: TakeOptions<T, Figure>,
): Promise<(Figure | undefined)[][]> {
  const present = sides.flatMap((side, index) => (side === undefined ? [] : [{ side, index }]));
  for (const { side } of present) await warmUp?.(side);
  const rounds: (Figure | undefined)[][] = [];
  for (let run = 0; run < runs; run++) {
    const figures: (Figure | undefined)[] = sides.map(() => undefined);
    const first = run % Math.max(1, present.length);
    for (const { side, index } of [...present.slice(first), ...present.slice(0, first)])
      figures[index] = await take(side);
    rounds.push(figures);
  }
  return rounds;
}
