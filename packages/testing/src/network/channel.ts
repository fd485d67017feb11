import { freeMemory } from '@mosaik/primitives';
import { type Channel, type ChannelEnd, type ChannelEvents, giveBack } from '@mosaik/transport/link';
import { EventKind } from '../clock/event-kind.ts';
import type { ConnectionSide } from './connection.ts';
import type { Lane } from './route.ts';

/**
 * What a direction of a channel carries at most: sent and not yet taken by the reader, as the initial window of Yamux.
 */
export const WINDOW_BYTES: number = 256 * 1024;

/** The reader's side reports room when half of the window has been taken, as Yamux does. */
const REPORT_BYTES = WINDOW_BYTES / 2;

const FRAME_OVERHEAD_BYTES = 12;

/** One end of an ordered, reliable pair of byte pipes over a simulated connection. */
export class SimChannel implements Channel {
  readonly #side: ConnectionSide;
  readonly #lane: Exclude<Lane, 'both'>;
  readonly #events: ChannelEvents;
  /** The other end; known once the opening has been answered. */
  #twin: SimChannel | undefined;
  #isClosed = false;

  /** Written, and over the window. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** Sent, and the reader has not reported room for it. */
  #unreportedBytes = 0;
  #owesDrain = false;
  #wantsEnd = false;
  #hasSentEnd = false;

  #isPaused = false;
  /** Arrived while paused. Invariant: at most {@link WINDOW_BYTES} and one packet. */
  #held: Uint8Array[] = [];
  #takenBytes = 0;
  #hasEndArrived = false;
  #hasToldEnd = false;

  constructor(side: ConnectionSide, lane: Exclude<Lane, 'both'>, events: ChannelEvents) {
    this.#side = side;
    this.#lane = lane;
    this.#events = events;
    side.channels.add(this);
  }

  /** Makes `accepted` the other end of this one. */
  join(accepted: SimChannel): void {
    this.#twin = accepted;
    accepted.#twin = this;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (!this.#canSend || this.#wantsEnd) return true;
    const packet = concat(chunks);
    // As early as can be, so that whoever looks at what it has given away finds it gone.
    for (const chunk of chunks) giveBack(chunk);
    this.#pending.push(packet);
    this.#pendingBytes += packet.length;
    this.#pump();
    this.#owesDrain = this.#pendingBytes + this.#unreportedBytes >= WINDOW_BYTES;
    return !this.#owesDrain;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#held.length > 0 || this.#hasEndArrived) this.#soon(() => this.#release());
  }

  closeWrite(): void {
    if (this.#wantsEnd || !this.#canSend) return;
    this.#wantsEnd = true;
    this.#pump();
  }

  abort(reason: string): void {
    if (this.#isClosed || !this.#side.process.isAlive) return;
    this.#send(0, (twin) => twin.#onReset(reason));
    this.#drop();
    this.#soon(() => this.#close({ kind: 'reset', reason }));
  }

  /** The connection is gone. What had arrived belongs before the end. */
  lost(end: ChannelEnd): void {
    this.#handOver();
    this.#drop();
    this.#close(end);
  }

  get #canSend(): boolean {
    return !this.#isClosed && this.#side.isOpen && this.#side.process.isAlive;
  }

  /** Sends to the other end, whoever that is by then. */
  #send(bytes: number, deliver: (twin: SimChannel) => void): void {
    this.#side.transmit(this.#lane, bytes + FRAME_OVERHEAD_BYTES, () => {
      if (this.#twin) deliver(this.#twin);
    });
  }

  #pump(): void {
    let first = 0;
    for (; first < this.#pending.length; first++) {
      const packet = this.#pending[first] as Uint8Array;
      const isOver = this.#unreportedBytes + packet.length > WINDOW_BYTES;
      if (isOver && this.#unreportedBytes > 0) break;
      this.#pendingBytes -= packet.length;
      this.#unreportedBytes += packet.length;
      this.#send(packet.length, (twin) => twin.#onPacket(packet));
    }
    if (first > 0) this.#pending.splice(0, first);
    if (this.#pending.length === 0 && this.#wantsEnd && !this.#hasSentEnd) this.#sendEnd();
  }

  #sendEnd(): void {
    this.#hasSentEnd = true;
    this.#send(0, (twin) => twin.#onEnd());
    if (this.#hasToldEnd) this.#soon(() => this.#close({ kind: 'finished' }));
  }

  #onPacket(packet: Uint8Array): void {
    if (this.#isClosed) return;
    this.#side.process.scheduler.trace.bytes('data', packet);
    if (this.#isPaused || this.#held.length > 0) this.#held.push(packet);
    else this.#take(packet);
  }

  #take(packet: Uint8Array): void {
    this.#takenBytes += packet.length;
    if (this.#takenBytes >= REPORT_BYTES) {
      const taken = this.#takenBytes;
      this.#takenBytes = 0;
      this.#send(0, (twin) => twin.#onReport(taken));
    }
    this.#give(packet);
  }

  /** A reader that says that it kept nothing of it must not have. */
  #give(packet: Uint8Array): void {
    if (this.#events.data(packet)) freeMemory(packet);
  }

  #onReport(bytes: number): void {
    if (this.#isClosed) return;
    this.#unreportedBytes -= bytes;
    this.#pump();
    if (!this.#owesDrain || this.#pendingBytes + this.#unreportedBytes >= WINDOW_BYTES) return;
    this.#owesDrain = false;
    this.#events.drain();
  }

  #onEnd(): void {
    if (this.#isClosed) return;
    this.#hasEndArrived = true;
    if (!this.#isPaused) this.#release();
  }

  /** Hands over what was held back, until paused again; then the end, if that has come. */
  #release(): void {
    while (!this.#isPaused && !this.#isClosed) {
      const packet = this.#held.shift();
      if (packet === undefined) break;
      this.#take(packet);
    }
    if (!this.#hasEndArrived || this.#hasToldEnd || this.#isPaused || this.#isClosed) return;
    this.#hasToldEnd = true;
    this.#events.remoteEnd();
    if (this.#hasSentEnd) this.#soon(() => this.#close({ kind: 'finished' }));
  }

  #onReset(reason: string): void {
    if (this.#isClosed) return;
    this.#handOver();
    this.#drop();
    this.#close({ kind: 'reset', reason: `by the peer: ${reason}` });
  }

  /** Gives the owner what was held back for it, paused or not: there will be no later. */
  #handOver(): void {
    const held = this.#held;
    this.#held = [];
    for (const packet of held) {
      if (!this.#isClosed) this.#give(packet);
    }
  }

  #soon(action: () => void): void {
    const { process } = this.#side;
    process.scheduler.soon(process, EventKind.notice, action);
  }

  #drop(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#held = [];
    this.#wantsEnd = true;
    this.#hasSentEnd = true;
  }

  #close(end: ChannelEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#side.channels.delete(this);
    this.#events.closed(end);
  }
}

/** One piece of memory of its own: what one host does to bytes it has received must not reach another. */
function concat(chunks: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
