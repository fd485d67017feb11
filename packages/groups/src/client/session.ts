import type { Runtime } from '@mosaik/primitives';
import type { Outcome } from '../machine/applier.ts';
import { encodeRecord, NONCE_BYTES, nonceText } from '../machine/commands.ts';
import { Ring } from './ring.ts';

/** A command on its way: encoded once, heard of once. */
export interface PendingCommand {
  readonly bytes: Uint8Array;
  /** Its outcome is known, or will never be. Called once. */
  settle(outcome: SessionOutcome): void;
  /** It must not be sent any more; what was sent already goes on. */
  isCancelled: boolean;
  /** It has left, or may have: from now on its outcome may be unknown. */
  isSent: boolean;
}

/** How a command ended, for whoever sent it. */
export type SessionOutcome =
  | Extract<Outcome<unknown>, { readonly kind: 'applied' | 'failed' }>
  /** It never left, or nothing that counts has it, and it will not be sent any more. */
  | { readonly kind: 'unsent' }
  /** It was sent, and whether it was applied will not be known. */
  | { readonly kind: 'expired'; readonly session: number }
  /** It was applied, and its result will not be known. */
  | { readonly kind: 'forgotten'; readonly session: number; readonly sequence: number };

export interface SessionOptions {
  readonly runtime: Runtime;
  /**
   * Hands a record to who leads now; false when nobody does, as far as is known, or there is no room. What is handed
   * over may be lost.
   */
  readonly offer: (record: Uint8Array) => boolean;
  /** What became of a command, by what this member has applied so far. */
  readonly outcomeOf: (session: number, sequence: number) => Outcome<unknown> | undefined;
  /** After this long without any progress what was sent is sent again. */
  readonly resendAfterMs: number;
}

/** Commands that were sent and not settled, at most; the group keeps the results of as many (see `SESSION_LIMITS`). */
const IN_FLIGHT_MAX = 4_096;
/** Their bytes, at most; one larger command goes alone. */
const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes of one run, about: what a leader puts into one entry. */
const RUN_BYTES = 16 * 1024;
/** A session in which nothing happens says so this often, long before it is taken for abandoned (an hour). */
const KEEP_ALIVE_MS = 15 * 60_000;

/**
 * The commands of one member, in call order, each applied exactly once (Raft dissertation §6.3): they are numbered in a
 * session of the group, sent to whoever leads, and sent again whenever they may have been lost.
 *
 *     none ─ the first command ─▶ opening ─ applied here ─▶ open ─ expired ─▶ none
 */
export class CommandSession {
  readonly #options: SessionOptions;
  /** Not numbered yet. */
  readonly #waiting = new Ring<PendingCommand>();
  /** Numbered, from `#first` on; settled in this order, as the group applies them in it. */
  readonly #inFlight = new Ring<PendingCommand>();
  #session: number | undefined;
  /** All that this member has had in this history. */
  readonly #sessions = new Set<number>();
  #nonce: Uint8Array | undefined;
  #isOpenSent = false;
  /** Sequence of the first in flight. */
  #first = 1;
  /** How many of those in flight were sent to the leader of now. */
  #sent = 0;
  #inFlightBytes = 0;
  /** Of those that wait and are not withdrawn. */
  #waitingBytes = 0;
  /** How many of those that wait are withdrawn. */
  #withdrawn = 0;
  /** When something was settled last, as far as ticks have noticed, or when all was sent again. */
  #progressAtMs: number;
  #hasProgressed = false;
  #isFlushDue = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#progressAtMs = options.runtime.now();
  }

  /** Commands that are not settled, nor withdrawn before they were sent. */
  get length(): number {
    return this.#waiting.length - this.#withdrawn + this.#inFlight.length;
  }

  /** Bytes of commands that were not sent yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get number(): number | undefined {
    return this.#session;
  }

  /** This member's, in the history of now. */
  isOwn(session: number): boolean {
    return this.#sessions.has(session);
  }

  /** Numbered, not settled, and its caller waits for it. */
  isUnderWay(session: number, sequence: number): boolean {
    if (session !== this.#session) return false;
    return this.#inFlight.at(sequence - this.#first)?.isCancelled === false;
  }

  submit(command: PendingCommand): void {
    this.#waiting.push(command);
    this.#waitingBytes += command.bytes.length;
    this.#flushSoon();
  }

  /** Nobody waits for these any more: what was not sent will not be. */
  withdraw(commands: readonly PendingCommand[]): void {
    for (const command of commands) {
      if (command.isCancelled) continue;
      command.isCancelled = true;
      if (command.isSent) continue;
      this.#withdrawn++;
      this.#waitingBytes -= command.bytes.length;
      command.settle({ kind: 'unsent' });
    }
    // While nobody leads none is passed over. Amortised O(1): at least half of what is gone through goes.
    if (this.#withdrawn * 2 > this.#waiting.length) this.#wait(this.#waiting.drain());
  }

  /** Those wait that are not withdrawn, and nothing else. */
  #wait(commands: readonly PendingCommand[]): void {
    this.#withdrawn = 0;
    this.#waitingBytes = 0;
    for (const command of commands) {
      if (command.isCancelled) continue;
      this.#waiting.push(command);
      this.#waitingBytes += command.bytes.length;
    }
  }

  /** Sends what there is room for, at the end of the microtasks of now: what is called in one turn goes together. */
  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.length === 0) return;
    if (this.#session === undefined) {
      this.#open();
      return;
    }
    while (this.#sendRun(this.#session));
  }

  /** Somebody else leads, or the way to the leader was broken: all that is not settled is sent again. */
  restart(): void {
    this.#sent = 0;
    this.#isOpenSent = false;
    this.#progressAtMs = this.#options.runtime.now();
    this.#flushSoon();
  }

  tick(nowMs: number): void {
    const { resendAfterMs } = this.#options;
    if (this.#hasProgressed) this.#progressAtMs = nowMs;
    this.#hasProgressed = false;
    const idleMs = nowMs - this.#progressAtMs;
    if (this.length > 0) {
      if (idleMs > resendAfterMs) this.restart();
      else this.#flushSoon();
    } else if (this.#session !== undefined && idleMs > KEEP_ALIVE_MS) {
      this.#progressAtMs = nowMs;
      this.#offerRun(this.#session, this.#first, []);
    }
  }

  /** A session was opened, by somebody. */
  opened(nonce: string, session: number): void {
    if (this.#nonce === undefined || nonceText(this.#nonce) !== nonce) return;
    if (this.#session !== undefined) {
      // The record was sent twice, and both arrived.
      if (session !== this.#session) this.#options.offer(encodeRecord({ kind: 'close', session }));
      return;
    }
    this.#session = session;
    this.#sessions.add(session);
    this.#progressAtMs = this.#options.runtime.now();
    this.#flushSoon();
  }

  outcome(sequence: number, outcome: Outcome<unknown>): void {
    if (sequence < this.#first || sequence >= this.#first + this.#inFlight.length) return;
    if (outcome.kind === 'gap') this.#resendFrom(outcome.expected);
    else if (outcome.kind === 'expired') this.#expired();
    else if (this.#settleUpTo(sequence)) this.#settle(outcome);
  }

  /** A snapshot has taken the place of entries: what became of commands may have been passed over. */
  restored(): void {
    const session = this.#session;
    if (session === undefined) {
      // It may have been opened by an entry that was passed over; the other one expires.
      this.#nonce = undefined;
      this.restart();
      return;
    }
    const last = this.#first + this.#inFlight.length - 1;
    if (!this.#settleUpTo(last + 1) && this.#options.outcomeOf(session, this.#first)?.kind === 'expired')
      this.#expired();
    this.restart();
  }

  /** The history that the session was part of is gone; nothing of what is in flight counts any more: it is sent anew. */
  moveOn(): void {
    const [inFlight, waiting] = [this.#inFlight.drain(), this.#waiting.drain()];
    this.#forgetSession();
    this.#sessions.clear();
    for (const command of inFlight) {
      command.isSent = false;
      if (command.isCancelled) command.settle({ kind: 'unsent' });
    }
    this.#wait([...inFlight, ...waiting]);
  }

  /** Ends it; returns what is not settled, in call order. */
  close(): readonly PendingCommand[] {
    if (this.#session !== undefined && this.#inFlight.length === 0)
      this.#options.offer(encodeRecord({ kind: 'close', session: this.#session }));
    const left = [...this.#inFlight.drain(), ...this.#waiting.drain()];
    this.#forgetSession();
    this.#wait([]);
    return left;
  }

  #open(): void {
    if (this.#isOpenSent) return;
    this.#nonce ??= this.#options.runtime.randomBytes(NONCE_BYTES);
    this.#isOpenSent = this.#options.offer(encodeRecord({ kind: 'open', nonce: this.#nonce }));
  }

  /** Sends the next run; false when there is none, no room, or nobody to send it to. */
  #sendRun(session: number): boolean {
    this.#number();
    if (this.#sent >= this.#inFlight.length) return false;
    const sequence = this.#first + this.#sent;
    const commands: Uint8Array[] = [];
    let bytes = 0;
    for (let place = this.#sent; place < this.#inFlight.length && bytes < RUN_BYTES; place++) {
      const command = this.#inFlight.at(place) as PendingCommand;
      commands.push(command.bytes);
      bytes += command.bytes.length + 8;
    }
    if (!this.#offerRun(session, sequence, commands)) return false;
    this.#sent += commands.length;
    return true;
  }

  /** Numbers what waits, as far as there is room. */
  #number(): void {
    while (this.#waiting.length > 0 && this.#inFlight.length < IN_FLIGHT_MAX) {
      const next = this.#waiting.at(0) as PendingCommand;
      if (next.isCancelled) {
        this.#waiting.shift();
        this.#withdrawn--;
        continue;
      }
      const { length } = next.bytes;
      if (this.#inFlightBytes > 0 && this.#inFlightBytes + length > IN_FLIGHT_BYTES_MAX) return;
      this.#waiting.shift();
      this.#waitingBytes -= length;
      next.isSent = true;
      this.#inFlight.push(next);
      this.#inFlightBytes += length;
    }
  }

  #offerRun(session: number, sequence: number, commands: readonly Uint8Array[]): boolean {
    const settled = this.#first - 1;
    return this.#options.offer(encodeRecord({ kind: 'run', session, sequence, settled, commands }));
  }

  /** Settles those before `sequence`, from what the group remembers; false when one of them is not settled there. */
  #settleUpTo(sequence: number): boolean {
    while (this.#first < sequence && this.#inFlight.length > 0) {
      const outcome = this.#options.outcomeOf(this.#session as number, this.#first);
      if (outcome === undefined || outcome.kind === 'gap' || outcome.kind === 'expired') return false;
      this.#settle(outcome);
    }
    return true;
  }

  /** Settles the first in flight. */
  #settle(outcome: Exclude<Outcome<unknown>, { kind: 'gap' | 'expired' }>): void {
    const command = this.#inFlight.shift();
    if (command === undefined) return;
    this.#inFlightBytes -= command.bytes.length;
    const sequence = this.#first++;
    if (this.#sent > 0) this.#sent--;
    this.#hasProgressed = true;
    command.settle(
      outcome.kind === 'forgotten' ? { kind: 'forgotten', session: this.#session ?? 0, sequence } : outcome,
    );
    if (this.#waiting.length > 0) this.#flushSoon();
  }

  #resendFrom(expected: number): void {
    const place = expected - this.#first;
    // What the group expects is behind what is known to be settled here only if it has lost what it had.
    if (place < 0 || place >= this.#sent) return;
    this.#sent = place;
    this.#flushSoon();
  }

  /** What was sent may be applied or not; what was not waits on, for another session. */
  #expired(): void {
    const sent = this.#inFlight.drain();
    const session = this.#session ?? 0;
    this.#forgetSession();
    for (const command of sent) command.settle({ kind: 'expired', session });
    this.#flushSoon();
  }

  #forgetSession(): void {
    this.#session = undefined;
    this.#nonce = undefined;
    this.#isOpenSent = false;
    this.#first = 1;
    this.#sent = 0;
    this.#inFlightBytes = 0;
    this.#progressAtMs = this.#options.runtime.now();
  }
}
