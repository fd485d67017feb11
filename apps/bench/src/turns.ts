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

/**
 * Measures both sides in turns, so that what slows the machine for a while slows both; who is first alternates. The figure
 * of a missing side is undefined.
 */
export async function inTurns<T, Figure>(
  { ours, peer }: Sides<T>,
  { runs, take, warmUp }: TakeOptions<T, Figure>,
): Promise<{ readonly ours: Figure | undefined; readonly peer: Figure | undefined }[]> {
  const present = async (side: T | undefined): Promise<Figure | undefined> =>
    side === undefined ? undefined : await take(side);
  for (const side of [ours, peer]) if (side !== undefined) await warmUp?.(side);
  const taken: { ours: Figure | undefined; peer: Figure | undefined }[] = [];
  for (let run = 0; run < runs; run++) {
    if (run % 2 === 0) {
      const first = await present(ours);
      taken.push({ ours: first, peer: await present(peer) });
    } else {
      const first = await present(peer);
      taken.push({ peer: first, ours: await present(ours) });
    }
  }
  return taken;
}
