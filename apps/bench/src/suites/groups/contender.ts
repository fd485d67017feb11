export const MEMBERS = 3;

/** What is written: so many keys over and over, as to a state machine of some size. */
const KEYS = 1_000;
export const VALUE: Uint8Array = Buffer.alloc(64, 7);

export function keyOf(index: number): string {
  return `key-${index % KEYS}`;
}

/** A group of three processes that replicates commands, and a client that is connected to it. */
export interface GroupContender extends AsyncDisposable {
  readonly name: string;
  /** Writes so many commands with at most `inFlight` of them unanswered; commands acknowledged a second. */
  pipelined(count: number, inFlight: number): Promise<number>;
  /** Writes so many commands, each after the answer to the one before; the milliseconds that each took. */
  oneAtATime(count: number): Promise<number[]>;
  /** Reads linearizably, so many times, one after the other; the milliseconds that each took. */
  strongQueries(count: number): Promise<number[]>;
  /**
   * Kills the leader as by `kill -9`, and returns the milliseconds until a write is acknowledged again. The killed process
   * is back, and caught up, when it resolves.
   */
  failover(): Promise<number>;
}
