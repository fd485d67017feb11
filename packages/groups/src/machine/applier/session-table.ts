import { DecodeError } from '@mosaik/primitives';
import { ByteReader, ByteWriter } from '../../bytes.ts';
import type { LogIndex } from '../../raft/types.ts';
import { type ResultLimits, Session } from './session.ts';

/**
 * When sessions end and what is kept of them. Part of what members must agree upon: a member with other limits would
 * refuse what others apply.
 */
export interface SessionLimits extends ResultLimits {
  /** The session that was silent for longest goes when there are more. */
  readonly maxSessions: number;
  /** A session ends when it was silent for as long as this, by the stamps of the leaders, … */
  readonly idleMs: number;
  /** … and for as many entries: so that a clock that jumps ends no session that is in use. */
  readonly idleEntries: number;
}

/** In force in every group. */
export const SESSION_LIMITS: SessionLimits = {
  maxSessions: 1_024,
  idleMs: 3_600_000,
  idleEntries: 1_024,
  maxResults: 8_192,
  maxResultBytes: 1_048_576,
};

/** Where the log has arrived. */
export interface LogMoment {
  readonly index: LogIndex;
  readonly nowMs: number;
}

/**
 * The sessions of a group, the same on all members (Raft dissertation §6.3): which command of each comes next, and how those
 * before it ended. Everything in it, expiry too, follows from the log alone.
 */
export class SessionTable {
  readonly #limits: SessionLimits;
  /** Invariant: ordered by `lastIndex`, and so in the order in which they expire. */
  readonly #sessions = new Map<number, Session>();
  /** Numbers are never given twice. */
  #lastNumber = 0;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get limits(): SessionLimits {
    return this.#limits;
  }

  /** Opens a session; returns its number. */
  open({ index, nowMs }: LogMoment): number {
    const number = ++this.#lastNumber;
    this.#sessions.set(number, new Session(index, nowMs));
    if (this.#sessions.size > this.#limits.maxSessions) this.#expireOldest();
    return number;
  }

  close(number: number): void {
    this.#sessions.delete(number);
  }

  /** A session as it is; undefined when it has ended or there was never one. */
  get(number: number): Session | undefined {
    return this.#sessions.get(number);
  }

  /** As {@link SessionTable.get}, and notes that it is alive. */
  use(number: number, { index, nowMs }: LogMoment): Session | undefined {
    const session = this.#sessions.get(number);
    if (session === undefined) return undefined;
    session.lastIndex = index;
    session.lastMs = nowMs;
    this.#sessions.delete(number);
    this.#sessions.set(number, session);
    return session;
  }

  /** Takes a session for open that is not known, with its next command. Only for tests: see `ApplierRules`. */
  adopt(number: number, next: number, { index, nowMs }: LogMoment): Session {
    const session = new Session(index, nowMs, next);
    this.#sessions.set(number, session);
    return session;
  }

  /** Ends the sessions that were silent for too long. */
  expire({ index, nowMs }: LogMoment): void {
    const { idleMs, idleEntries } = this.#limits;
    for (const [number, session] of this.#sessions) {
      // Times never go back along the log: whoever comes after this one was silent for less.
      if (nowMs - session.lastMs <= idleMs || index - session.lastIndex <= idleEntries) return;
      this.#sessions.delete(number);
    }
  }

  #expireOldest(): void {
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined) this.#sessions.delete(oldest);
  }

  encode(): Uint8Array {
    const writer = new ByteWriter(1024);
    writer.varint(this.#lastNumber);
    writer.varint(this.#sessions.size);
    for (const [number, session] of this.#sessions) {
      writer.varint(number);
      session.write(writer);
    }
    return writer.finish();
  }

  /** @throws {DecodeError} and nothing else. */
  static decode(bytes: Uint8Array, limits: SessionLimits): SessionTable {
    const reader = new ByteReader(bytes);
    const table = new SessionTable(limits);
    table.#lastNumber = reader.varint();
    const count = reader.count(5);
    for (let at = 0; at < count; at++) {
      const number = reader.varint();
      if (number > table.#lastNumber || table.#sessions.has(number)) {
        throw new DecodeError('malformed', `session ${number} twice, or never opened`);
      }
      table.#sessions.set(number, Session.read(reader));
    }
    reader.end();
    return table;
  }
}
