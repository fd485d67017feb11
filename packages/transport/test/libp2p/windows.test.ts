import { describe, expect, it } from 'vitest';
import { Windows } from '../../src/libp2p/windows.ts';
import { type ManualRuntime, manualRuntime } from '../kit/manual-runtime.ts';

const KIB = 1024;
const MAX_BYTES = 2048 * KIB;
const INITIAL_BYTES = 256 * KIB;

/** The receiving half of a stream of Yamux: what the sender may send, and what it is told. */
class FakeStream {
  state = 3;
  recvWindow = INITIAL_BYTES;
  recvWindowCapacity = INITIAL_BYTES;
  readonly told: number[] = [];

  getRTT = (): number => 5;

  sendWindowUpdate(): void {
    const delta = this.recvWindow - this.recvWindowCapacity;
    if (delta <= 0) return;
    this.told.push(delta);
    this.recvWindowCapacity = this.recvWindow;
  }

  /** Bytes arrive and are read. */
  read(bytes: number): void {
    if (bytes > this.recvWindowCapacity) throw new Error('more than was granted');
    this.recvWindowCapacity -= bytes;
    this.sendWindowUpdate();
  }
}

function tuned(runtime: ManualRuntime, rttMs: number | undefined, count = 1): FakeStream[] {
  const windows = new Windows({ runtime, rttMs: () => rttMs, streamWindowBytes: MAX_BYTES });
  return Array.from({ length: count }, () => {
    const stream = new FakeStream();
    windows.tune(stream);
    return stream;
  });
}

/** Reads from all streams, one after the other, `bytes` each step of `stepMs`. */
async function transfer(
  runtime: ManualRuntime,
  streams: readonly FakeStream[],
  { bytes, stepMs, steps }: { bytes: number; stepMs: number; steps: number },
): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await runtime.advance(stepMs);
    for (const stream of streams) stream.read(Math.min(bytes, stream.recvWindowCapacity));
  }
}

describe('windows', () => {
  it('tell the sender when half is used, not of each piece', async () => {
    const runtime = manualRuntime();
    const [stream] = tuned(runtime, 0.1) as [FakeStream];
    stream.read(64 * KIB);
    expect(stream.told).toEqual([]);
    stream.read(64 * KIB);
    expect(stream.told).toHaveLength(1);
  });

  it('of a stream that is alone, of a peer nearby, are a MiB, with a limit that is larger', async () => {
    const runtime = manualRuntime();
    const [stream] = tuned(runtime, 0.1) as [FakeStream];
    await transfer(runtime, [stream], { bytes: 64 * KIB, stepMs: 0.3, steps: 100 });
    expect(stream.recvWindow).toBe(1024 * KIB);
  });

  it('of many streams that are busy share that, and each holds a frame', async () => {
    const runtime = manualRuntime();
    for (const [count, each] of [
      [4, 256],
      [8, 128],
      [32, 64],
    ] as const) {
      const streams = tuned(runtime, 0.1, count);
      await transfer(runtime, streams, { bytes: 32 * KIB, stepMs: 1, steps: 200 });
      expect(streams.map((stream) => stream.recvWindow)).toEqual(streams.map(() => each * KIB));
    }
  });

  it('are wide again for a stream that stays when others have nothing more to send', async () => {
    const runtime = manualRuntime();
    const streams = tuned(runtime, 0.1, 8);
    await transfer(runtime, streams, { bytes: 32 * KIB, stepMs: 1, steps: 200 });
    await transfer(runtime, streams.slice(0, 1), { bytes: 32 * KIB, stepMs: 1, steps: 300 });
    expect(streams[0]?.recvWindow).toBe(1024 * KIB);
  });

  it('grow with the distance: what is read in two round trips, up to the limit', async () => {
    const runtime = manualRuntime();
    // 50 ms away a window that is used up each round trip is too small, until it is the largest.
    const [far] = tuned(runtime, 50) as [FakeStream];
    await transfer(runtime, [far], { bytes: MAX_BYTES, stepMs: 50, steps: 20 });
    expect(far.recvWindow).toBe(MAX_BYTES);
    // 40 ms away at 20 KiB a ms: 1,600 KiB.
    const [near] = tuned(runtime, 40) as [FakeStream];
    await transfer(runtime, [near], { bytes: 100 * KIB, stepMs: 5, steps: 100 });
    expect(near.recvWindow / KIB).toBeGreaterThan(1_500);
    expect(near.recvWindow / KIB).toBeLessThan(1_700);
  });

  it('are the largest as long as the distance is not known', async () => {
    const runtime = manualRuntime();
    const [stream] = tuned(runtime, undefined) as [FakeStream];
    await transfer(runtime, [stream], { bytes: 128 * KIB, stepMs: 1, steps: 1 });
    expect(stream.recvWindow).toBe(MAX_BYTES);
  });

  it('leave the growth of Yamux no time to go by, and what is no stream of Yamux alone', () => {
    const runtime = manualRuntime();
    const [stream] = tuned(runtime, 1) as [FakeStream];
    expect(stream.getRTT()).toBe(-1);
    const other = { sendWindowUpdate: (): void => {} };
    const { sendWindowUpdate } = other;
    new Windows({ runtime, rttMs: () => 1, streamWindowBytes: MAX_BYTES }).tune(other);
    expect(other.sendWindowUpdate).toBe(sendWindowUpdate);
  });
});
