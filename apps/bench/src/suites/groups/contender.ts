/** Of a group, unless said otherwise. */
export const MEMBERS = 3;

/** What is written: so many keys over and over, as to a state machine of some size. */
const KEYS = 1_000;
export const VALUE: Uint8Array = Buffer.alloc(64, 7);

export function keyOf(index: number): string {
  return `key-${index % KEYS}`;
}

/** Which member a client is at; a follower is always the same one. */
export type Place = 'leader' | 'follower';

/** Strong: linearizable. Weak: what the member has, which may be old. */
export type Consistency = 'strong' | 'weak';

/** A client of a group, at one of its members. */
export interface GroupClient {
  /** Writes so many commands with at most `inFlight` of them unanswered; commands acknowledged a second. */
  pipelined(count: number, inFlight: number): Promise<number>;
  /** Writes so many commands, each after the answer to the one before; the milliseconds that each took. */
  oneAtATime(count: number): Promise<number[]>;
  /** Reads, so many times, one after the other; the milliseconds that each took. */
  queries(consistency: Consistency, count: number): Promise<number[]>;
}

/** A group of processes that replicates commands. */
export interface GroupContender extends AsyncDisposable {
  readonly name: string;
  at(place: Place): GroupClient;
  /**
   * Kills the leader as by `kill -9`, and returns the milliseconds until a write is acknowledged again. The killed process
   * is back, and caught up, when it resolves.
   */
  failover(): Promise<number>;
}
