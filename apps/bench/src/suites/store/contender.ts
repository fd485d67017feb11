/** Unacknowledged data while a store is filled for a replay. */
export const FILL_IN_FLIGHT = 1_000;

/** Something that keeps what is sent on a stream and replays it. */
export interface StoreContender extends AsyncDisposable {
  /** With what it promises when it acknowledges. */
  readonly name: string;
  /** Appends so many datums with at most `inFlight` of them unacknowledged; datums acknowledged a second. */
  append(count: number, inFlight: number): Promise<number>;
  /** Makes sure that so many datums are kept for {@link replay}. */
  fill(count: number): Promise<void>;
  /** Has a process that starts afresh read them all, from the first on; datums a second. */
  replay(count: number): Promise<number>;
}
