import { invariant } from './invariant.ts';
import type { Log } from './log.ts';
import type { Message } from './messages.ts';
import type { Persist, WriteToken } from './raft.ts';
import type { HardState, LogIndex, SnapshotMeta } from './types.ts';

/** A write that was handed out and is not durable yet. */
interface Write {
  readonly token: number;
  /** The last index of this write that is still part of the log: a truncation afterwards lowers it. */
  last: LogIndex;
  readonly snapshot: SnapshotMeta | undefined;
}

/** Messages that wait for the disk; beyond, the oldest are lost, as any message may be. */
const heldMax = 1024;

/** What became durable. */
export interface Durable {
  /** Messages that waited for it. */
  readonly messages: readonly Message[];
  /** A snapshot that is in force now. */
  readonly snapshot: SnapshotMeta | undefined;
}

/**
 * What is to be written, what is being written, and what is durable.
 *
 * Invariant: `durable` is the end of a prefix of the log as it is now, all of it on disk.
 */
export interface Writes {
  readonly durable: LogIndex;
  /** The term and vote as they are now are on disk. */
  readonly isHardStateDurable: boolean;
  readonly isUnderWay: boolean;
  hardStateChanged(): void;
  truncatedFrom(index: LogIndex): void;
  /** The log starts anew after a snapshot; what was written of it up to `intact` still holds. */
  snapshotInstalled(meta: SnapshotMeta, intact: LogIndex): void;
  /** Keeps a message until the term and vote of now are durable. */
  sendWhenHardStateDurable(message: Message): void;
  take(log: Log, hardState: HardState): Persist | undefined;
  persisted(token: WriteToken): Durable;
}

export function createWrites(last: LogIndex): Writes {
  return new PendingWrites(last);
}

class PendingWrites implements Writes {
  durable: LogIndex;
  /** The last index that was handed out to be written, of the log as it is now. */
  #handed: LogIndex;
  #lastToken = 0;
  #durableToken = 0;
  #hardStateToken = 0;
  #isHardStateDirty = false;
  #truncateFrom: LogIndex | undefined;
  #snapshot: SnapshotMeta | undefined;
  readonly #underWay: Write[] = [];
  readonly #held: { readonly token: number; readonly message: Message }[] = [];

  constructor(last: LogIndex) {
    this.durable = last;
    this.#handed = last;
  }

  get isHardStateDurable(): boolean {
    return !this.#isHardStateDirty && this.#hardStateToken <= this.#durableToken;
  }

  get isUnderWay(): boolean {
    return this.#underWay.length > 0;
  }

  hardStateChanged(): void {
    this.#isHardStateDirty = true;
  }

  truncatedFrom(index: LogIndex): void {
    if (index <= this.#handed) {
      this.#truncateFrom = Math.min(this.#truncateFrom ?? index, index) as LogIndex;
      this.#handed = (index - 1) as LogIndex;
    }
    this.#limitTo((index - 1) as LogIndex);
  }

  snapshotInstalled(meta: SnapshotMeta, intact: LogIndex): void {
    const keepsRest = intact >= meta.index;
    if (!keepsRest) {
      this.#truncateFrom = (meta.index + 1) as LogIndex;
      this.#handed = meta.index;
      this.#limitTo(intact);
    }
    // What was to be removed may be less than the snapshot replaces: entries up to it are no more, on disk either.
    else if (this.#truncateFrom !== undefined)
      this.#truncateFrom = Math.max(this.#truncateFrom, meta.index + 1) as LogIndex;
    this.#handed = Math.max(this.#handed, meta.index) as LogIndex;
    this.#snapshot = meta;
  }

  sendWhenHardStateDurable(message: Message): void {
    if (this.#held.length >= heldMax) this.#held.shift();
    this.#held.push({
      token: this.#isHardStateDirty ? this.#lastToken + 1 : this.#hardStateToken,
      message,
    });
  }

  take(log: Log, hardState: HardState): Persist | undefined {
    const last = log.last.index;
    const isIdle = last <= this.#handed && this.#truncateFrom === undefined && this.#snapshot === undefined;
    if (isIdle && !this.#isHardStateDirty) return undefined;
    const from = (this.#handed + 1) as LogIndex;
    const token = ++this.#lastToken as WriteToken;
    const persist: Persist = {
      token,
      hardState: this.#isHardStateDirty ? hardState : undefined,
      snapshot: this.#snapshot,
      truncateFrom: this.#truncateFrom,
      entries: last >= from ? log.slice(from, last, Number.POSITIVE_INFINITY) : [],
    };
    if (this.#isHardStateDirty) this.#hardStateToken = token;
    this.#underWay.push({ token, last, snapshot: this.#snapshot });
    this.#isHardStateDirty = false;
    this.#snapshot = undefined;
    this.#truncateFrom = undefined;
    this.#handed = last;
    return persist;
  }

  persisted(token: WriteToken): Durable {
    invariant(token <= this.#lastToken, `write ${token} was not handed out`);
    this.#durableToken = Math.max(this.#durableToken, token);
    let snapshot: SnapshotMeta | undefined;
    while ((this.#underWay[0]?.token ?? Number.POSITIVE_INFINITY) <= token) {
      const write = this.#underWay.shift() as Write;
      this.durable = Math.max(this.durable, write.last) as LogIndex;
      snapshot = write.snapshot ?? snapshot;
    }
    return { messages: this.#release(), snapshot };
  }

  #release(): Message[] {
    const ready = this.#held.findIndex((each) => each.token > this.#durableToken);
    const count = ready === -1 ? this.#held.length : ready;
    return count === 0 ? [] : this.#held.splice(0, count).map((each) => each.message);
  }

  /** What lies after `index` is not the log any more, on disk or on its way there. */
  #limitTo(index: LogIndex): void {
    this.durable = Math.min(this.durable, index) as LogIndex;
    for (const write of this.#underWay) write.last = Math.min(write.last, index) as LogIndex;
  }
}
