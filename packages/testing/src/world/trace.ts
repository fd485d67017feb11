import { type EventKind, nameOfKind } from '../clock/event-kind.ts';

/** Everything that happens in a world, as a hash and, on request, as text. */
export interface TraceView {
  /** 16 hexadecimal digits over every event so far: time, process, kind, fields. Same seed and program, same hash. */
  hash(): string;
  /** The newest events as text, oldest first; empty unless the world records (`trace: true`). */
  readonly lines: readonly string[];
}

/** Who an event belongs to, as the trace shows it. */
export interface TraceSubject {
  readonly index: number;
  readonly name: string;
}

/** Lines kept when the world records. */
const DEFAULT_MAX_LINES = 10_000;

const floats = new Float64Array(1);
const words = new Uint32Array(floats.buffer);

/** Bytes of a payload that count for the hash: enough to tell diverging contents, cheap for large ones. */
const HASHED_BYTES = 64;

/** Two 32-bit lanes, mixed as in MurmurHash3 (x86, 32 bit), with different constants each. */
export class Trace implements TraceView {
  #low = 0x9747b28c;
  #high = 0x3c6ef372;
  readonly #maxLines: number;
  #lines: string[] = [];

  constructor(record: boolean | number) {
    if (typeof record === 'number') this.#maxLines = record;
    else this.#maxLines = record ? DEFAULT_MAX_LINES : 0;
  }

  get lines(): readonly string[] {
    return this.#lines.slice(-this.#maxLines);
  }

  event(atMs: number, who: TraceSubject, kind: EventKind): void {
    floats[0] = atMs;
    this.#mix(words[0] as number);
    this.#mix(words[1] as number);
    this.#mix((who.index << 8) | kind);
    if (this.#maxLines > 0) this.#record(`${atMs.toFixed(3)} ${who.name} ${nameOfKind(kind)}`);
  }

  /** A field of the event that is running. */
  number(name: string, value: number): void {
    this.#mix(value | 0);
    if (this.#maxLines > 0) this.#append(` ${name}=${value}`);
  }

  /** A field that is text. */
  text(name: string, value: string): void {
    for (let index = 0; index < value.length; index++) this.#mix(value.charCodeAt(index));
    if (this.#maxLines > 0) this.#append(` ${name}=${value}`);
  }

  /** A field that is bytes: the length and the first of them count. */
  bytes(name: string, value: Uint8Array): void {
    this.#mix(value.length);
    const end = Math.min(value.length, HASHED_BYTES);
    for (let index = 0; index < end; index += 4) {
      this.#mix(
        (value[index] as number) |
          ((value[index + 1] ?? 0) << 8) |
          ((value[index + 2] ?? 0) << 16) |
          ((value[index + 3] ?? 0) << 24),
      );
    }
    if (this.#maxLines > 0) this.#append(` ${name}=${value.length}B`);
  }

  hash(): string {
    return [finish(this.#low), finish(this.#high)].map((lane) => lane.toString(16).padStart(8, '0')).join('');
  }

  #mix(word: number): void {
    this.#low = round(this.#low, Math.imul(word, 0xcc9e2d51), 15, 0x1b873593);
    this.#high = round(this.#high, Math.imul(word, 0x239b961b), 17, 0x38b34ae5);
  }

  #record(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > 2 * this.#maxLines) this.#lines = this.#lines.slice(-this.#maxLines);
  }

  #append(text: string): void {
    const last = this.#lines.length - 1;
    if (last >= 0) this.#lines[last] += text;
  }
}

function round(lane: number, scrambled: number, turn: number, factor: number): number {
  const turned = Math.imul((scrambled << turn) | (scrambled >>> (32 - turn)), factor);
  const mixed = lane ^ turned;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(lane: number): number {
  let hash = lane ^ (lane >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
