import type { Runtime } from '@mosaik/primitives';

/** What all streams of a connection that are busy may have in flight together, however close the peer is. */
const SHARED_BYTES = 1024 * 1024;

/** No window is smaller: a frame of a link should fit into it. */
const WINDOW_BYTES_MIN = 64 * 1024;

/** A window holds what arrives in so many round trips: with one, a sender would wait for each update. */
const ROUND_TRIPS = 2;

/** Streams that used half a window within one of these are busy. */
const EPOCH_MS = 100;

/** A rate is measured over at least this: what one read of a socket brings in says nothing. */
const SAMPLE_MS = 2;

/** How much of a rate that was measured before stays when the next sample is lower. */
const RATE_DECAY = 0.75;

/** As Yamux numbers its states: a stream that is still being opened has flags to send with its updates. */
const ESTABLISHED = 3;

interface WindowsOptions {
  readonly runtime: Runtime;
  /** The shortest round trip seen on the connection; undefined before the first. */
  readonly rttMs: () => number | undefined;
  readonly streamWindowBytes: number;
}

/** The parts of a stream of Yamux 8.0.1 that {@link Windows} knows. */
interface YamuxInternals {
  sendWindowUpdate: () => void;
  getRTT: () => number;
  recvWindow: number;
  recvWindowCapacity: number;
  readonly state: number;
}

/** How fast a stream has been read lately. */
interface Pace {
  sinceMs: number;
  bytes: number;
  bytesPerMs: number;
  epoch: number;
}

/**
 * How much the streams of one connection may have in flight to this side.
 *
 * What is in flight is what a small message waits behind, in buffers of the kernel and of the network. So the streams that
 * are busy share {@link SHARED_BYTES}, and one gets more only where the distance asks for it: twice what it takes in
 * during a round trip, up to `streamWindowBytes`. Yamux itself knows time in whole milliseconds, takes any peer
 * nearby for a distant one, and lets each stream have all of that.
 *
 * It also tells the sender of every piece that was read, at the price of an encrypted message and a write each: a fifth
 * of what bulk costs a receiver. The specification asks for no more than that the window does not run dry, so the sender
 * is told when half of it is used up.
 */
export class Windows {
  readonly #options: WindowsOptions;
  #epoch = 0;
  #busy = 0;
  #busyBefore = 0;

  constructor(options: WindowsOptions) {
    this.#options = options;
  }

  /** Takes over the window of a stream. One that is not as we know it is left as it is. */
  tune(candidate: object): void {
    if (!isYamux(candidate)) return;
    const stream = candidate;
    const { sendWindowUpdate } = stream;
    const pace: Pace = { sinceMs: this.#options.runtime.now(), bytes: 0, bytesPerMs: 0, epoch: -1 };
    // Its own growth, which goes by this, is off.
    stream.getRTT = () => -1;
    stream.sendWindowUpdate = (): void => {
      if (stream.state === ESTABLISHED) {
        const usedBytes = stream.recvWindow - stream.recvWindowCapacity;
        if (usedBytes * 2 < stream.recvWindow) return;
        stream.recvWindow = this.#windowFor(pace, usedBytes);
      }
      sendWindowUpdate.call(stream);
    };
  }

  #windowFor(pace: Pace, usedBytes: number): number {
    const { runtime, rttMs, streamWindowBytes } = this.#options;
    const nowMs = runtime.now();
    const share = Math.max(WINDOW_BYTES_MIN, SHARED_BYTES / this.#countBusy(pace, nowMs));
    const tripMs = rttMs();
    if (tripMs === undefined) return streamWindowBytes;
    measure(pace, usedBytes, nowMs, Math.max(SAMPLE_MS, tripMs));
    const wanted = Math.max(share, ROUND_TRIPS * tripMs * pace.bytesPerMs);
    return Math.floor(Math.min(streamWindowBytes, wanted));
  }

  /** How many streams are busy, with this one. */
  #countBusy(pace: Pace, nowMs: number): number {
    const epoch = Math.floor(nowMs / EPOCH_MS);
    if (epoch !== this.#epoch) {
      this.#busyBefore = epoch === this.#epoch + 1 ? this.#busy : 0;
      this.#busy = 0;
      this.#epoch = epoch;
    }
    if (pace.epoch !== epoch) {
      pace.epoch = epoch;
      this.#busy++;
    }
    return Math.max(this.#busy, this.#busyBefore);
  }
}

function measure(pace: Pace, bytes: number, nowMs: number, sampleMs: number): void {
  pace.bytes += bytes;
  const elapsedMs = nowMs - pace.sinceMs;
  if (elapsedMs < sampleMs) return;
  pace.bytesPerMs = Math.max(pace.bytes / elapsedMs, pace.bytesPerMs * RATE_DECAY);
  pace.bytes = 0;
  pace.sinceMs = nowMs;
}

function isYamux(candidate: object): candidate is YamuxInternals {
  const { sendWindowUpdate, getRTT, recvWindow, recvWindowCapacity, state } =
    candidate as Partial<YamuxInternals>;
  const hasCalls = typeof sendWindowUpdate === 'function' && typeof getRTT === 'function';
  return hasCalls && [recvWindow, recvWindowCapacity, state].every(Number.isInteger);
}
