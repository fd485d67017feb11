import { createScope } from '@mosaik/primitives';
import { afterEach, describe, expect, it } from 'vitest';
import { type Beat, livenessProtocol, watchLiveness } from '../../src/libp2p/liveness.ts';
import { createTraffic, type Traffic } from '../../src/libp2p/traffic.ts';
import type { Link } from '../../src/link/link.ts';
import { linkPair } from '../kit/links.ts';
import type { ManualRuntime } from '../kit/manual-runtime.ts';

const SILENCE_MS = 4_000;
const PERIOD_MS = 1_000;

/** One end that is watched, and another one that does what the test says. */
interface Watched {
  readonly runtime: ManualRuntime;
  readonly traffic: Traffic;
  readonly other: Link<Beat>;
  /** When the other end got beats. */
  readonly beatsAtMs: readonly number[];
  /** When the watched end said that the other one is silent. */
  readonly silentAtMs: readonly number[];
}

let end = async (): Promise<void> => {};

afterEach(() => end());

function watched(): Watched {
  const { a, b, runtime } = linkPair(livenessProtocol, livenessProtocol);
  const [beatsAtMs, silentAtMs]: [number[], number[]] = [[], []];
  const traffic = createTraffic();
  const scope = createScope({ runtime, name: 'liveness', onError: (error) => Promise.reject(error) });
  watchLiveness(
    { scope, link: a, silenceMs: SILENCE_MS, traffic },
    { rtt: () => {}, silent: () => silentAtMs.push(runtime.now()), ended: () => {} },
  );
  scope.spawn('count', async (signal) => {
    while (await b.receive({ signal })) beatsAtMs.push(runtime.now());
  });
  end = async () => {
    b.abort('the test is over');
    await runtime.run(scope.close());
  };
  return { runtime, traffic, other: b, beatsAtMs, silentAtMs };
}

describe('liveness', () => {
  it('beats four times in the time after which silence is loss', async () => {
    const { runtime, beatsAtMs } = watched();
    await runtime.advance(3 * PERIOD_MS);
    expect(beatsAtMs).toEqual([0, 1_000, 2_000, 3_000]);
  });

  it('leaves out beats while other frames are read at once, but never three in a row', async () => {
    const { runtime, traffic, beatsAtMs } = watched();
    for (let period = 0; period < 9; period++) {
      await runtime.advance(PERIOD_MS / 2);
      traffic.controlSent++;
      traffic.received++;
      await runtime.advance(PERIOD_MS / 2);
    }
    expect(beatsAtMs).toEqual([0, 3_000, 6_000, 9_000]);
    await runtime.advance(2 * PERIOD_MS);
    expect(beatsAtMs.slice(-2)).toEqual([10_000, 11_000]);
  });

  it('takes whatever comes in for a sign of life', async () => {
    const { runtime, traffic, silentAtMs } = watched();
    for (let period = 0; period < 20; period++) {
      traffic.received++;
      await runtime.advance(PERIOD_MS);
    }
    expect(silentAtMs).toEqual([]);
    // Seen at 20 s; at 24 s it is not yet longer than that.
    await runtime.advance(4 * PERIOD_MS);
    expect(silentAtMs).toEqual([]);
    await runtime.advance(PERIOD_MS);
    expect(silentAtMs).toEqual([25_000]);
  });

  it('hears beats when nothing else comes', async () => {
    const { runtime, other, silentAtMs } = watched();
    for (let period = 0; period < 10; period++) {
      other.trySend({ sentAtMs: runtime.now(), echoMs: Number.NaN, heldMs: 0 });
      await runtime.advance(3 * PERIOD_MS);
    }
    expect(silentAtMs).toEqual([]);
  });
});
