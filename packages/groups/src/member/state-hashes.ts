import type { LogIndex, MemberId } from '../raft/types.ts';
import { equalBytes } from '../storage/manifest.ts';

/** Hashes that are kept until those of others have come. */
const KEPT = 16;

interface StateHashesOptions {
  /** The multiples of this are hashed here; 0 for none. */
  readonly every: number;
  /** Tells the others the own hash at an index. */
  readonly tell: (index: LogIndex, hash: Uint8Array) => void;
  readonly diverged: (index: LogIndex, member: MemberId) => void;
}

/**
 * Compares the state of this member with that of others, at indices that both take: with other intervals, at their common
 * multiples.
 */
export class StateHashes {
  readonly #options: StateHashesOptions;
  readonly #own = new Map<LogIndex, Uint8Array>();
  /** Of members that were quicker. */
  readonly #early = new Map<LogIndex, Map<MemberId, Uint8Array>>();

  constructor(options: StateHashesOptions) {
    this.#options = options;
  }

  own(index: LogIndex, hash: Uint8Array): void {
    this.#own.set(index, hash);
    dropOldest(this.#own);
    this.#options.tell(index, hash);
    const early = this.#early.get(index);
    this.#early.delete(index);
    for (const [member, theirs] of early ?? []) this.#compare(index, member, theirs);
  }

  others(member: MemberId, index: LogIndex, hash: Uint8Array): void {
    const { every } = this.#options;
    // What is never hashed here would only push out what is.
    if (every === 0 || index % every !== 0) return;
    if (this.#own.has(index)) {
      this.#compare(index, member, hash);
      return;
    }
    const early = this.#early.get(index) ?? new Map<MemberId, Uint8Array>();
    this.#early.set(index, early.set(member, hash.slice()));
    dropOldest(this.#early);
  }

  /** Another history begins. */
  clear(): void {
    this.#own.clear();
    this.#early.clear();
  }

  #compare(index: LogIndex, member: MemberId, theirs: Uint8Array): void {
    const own = this.#own.get(index);
    if (own !== undefined && !equalBytes(own, theirs)) this.#options.diverged(index, member);
  }
}

function dropOldest(map: Map<LogIndex, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > KEPT && oldest !== undefined) map.delete(oldest);
}
