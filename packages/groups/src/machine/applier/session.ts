import { invariant } from '@mosaik/primitives';
import type { ByteReader, ByteWriter } from '../../bytes.ts';
import type { LogIndex } from '../../raft/types.ts';
import type { EncodedResult } from '../machine.ts';

/** How a command ended, as it is kept. */
export interface Settlement {
  readonly kind: 'applied' | 'failed';
  /** Of the entry that it was applied with. */
  readonly index: LogIndex;
  /** Its result, or what it threw. */
  readonly encoded: Uint8Array | EncodedResult<unknown>;
}

/** What a settlement holds, as bytes. */
export function bytesOf({ encoded }: Settlement): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded;
  const bytes = encoded.encode();
  invariant(bytes.length === encoded.byteLength, 'an encoded result is as long as it said');
  return bytes;
}

/** What is kept of the results of one session, at most; beyond it the oldest are forgotten. */
export interface ResultLimits {
  readonly maxResults: number;
  readonly maxResultBytes: number;
}

/** Bytes that a settlement counts for besides its own. */
const OVERHEAD_BYTES = 16;

/** What the group knows of one session. */
export class Session {
  /** Of the entry that last told of it. */
  lastIndex: LogIndex;
  /** The time of that entry. */
  lastMs: number;
  /** The sequence that is applied next. */
  #next: number;
  /** Invariant: of the commands before `#next`, in order, from `#head` on; the others are settled or forgotten. */
  #kept: Settlement[] = [];
  #head = 0;
  #bytes = 0;

  constructor(index: LogIndex, nowMs: number, next = 1) {
    this.lastIndex = index;
    this.lastMs = nowMs;
    this.#next = next;
  }

  get next(): number {
    return this.#next;
  }

  /** The first sequence whose settlement is kept. */
  get #first(): number {
    return this.#next - (this.#kept.length - this.#head);
  }

  /** How a command before `next` ended; undefined when that is not known any more. */
  settlementOf(sequence: number): Settlement | undefined {
    invariant(sequence < this.#next, 'only what was applied has a settlement');
    const place = sequence - this.#first;
    return place < 0 ? undefined : this.#kept[this.#head + place];
  }

  /** Notes how the next command ended. */
  settle(settlement: Settlement, limits: ResultLimits): void {
    this.#kept.push(settlement);
    this.#next++;
    this.#bytes += settlement.encoded.byteLength + OVERHEAD_BYTES;
    while (this.#kept.length - this.#head > limits.maxResults || this.#bytes > limits.maxResultBytes)
      this.#drop();
  }

  /** Forgets what nobody will ask for again. */
  forgetUpTo(sequence: number): void {
    const upTo = Math.min(sequence, this.#next - 1);
    while (this.#first <= upTo) this.#drop();
  }

  #drop(): void {
    const dropped = this.#kept[this.#head];
    invariant(dropped !== undefined, 'what is dropped is kept');
    this.#head++;
    this.#bytes -= dropped.encoded.byteLength + OVERHEAD_BYTES;
    // Each is moved once for each time that as many were dropped.
    if (this.#head < 32 || this.#head * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#head);
    this.#head = 0;
  }

  write(writer: ByteWriter): void {
    writer.varint(this.lastIndex);
    writer.varint(this.lastMs);
    writer.varint(this.#next);
    writer.varint(this.#kept.length - this.#head);
    for (let at = this.#head; at < this.#kept.length; at++) {
      const settlement = this.#kept[at] as Settlement;
      writer.byte(settlement.kind === 'applied' ? 0 : 1);
      writer.varint(settlement.index);
      writer.sized(bytesOf(settlement));
    }
  }

  /** @throws {DecodeError} */
  static read(reader: ByteReader): Session {
    const session = new Session(reader.varint() as LogIndex, reader.varint());
    session.#next = reader.varint();
    const count = reader.count(3);
    for (let at = 0; at < count; at++) {
      const kind = reader.byte() === 0 ? 'applied' : 'failed';
      const index = reader.varint() as LogIndex;
      const bytes = reader.sized().slice();
      session.#kept.push({ kind, index, encoded: bytes });
      session.#bytes += bytes.length + OVERHEAD_BYTES;
    }
    return session;
  }
}
