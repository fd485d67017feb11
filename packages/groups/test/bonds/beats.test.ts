import { systemRuntime } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { decodeBondMessage, encodeBondMessage } from '../../src/bonds/codec.ts';
import { bondSettings } from '../../src/bonds/options.ts';
import { laneProtocol } from '../../src/bonds/protocol.ts';
import { Pulse } from '../../src/bonds/pulse.ts';
import { approach, HELLO, joinWith, proofFor } from './scene.ts';

const INTERVAL_MS = 250;
const BEAT = encodeBondMessage({ kind: 'beat' });

describe('beats', () => {
  it('of an idle bond come at intervals that are spread over ± 10 %, and no others', () =>
    approach(async (scene) => {
      const { world, link } = scene;
      await link.send(HELLO);
      const lane = await scene.transport.open(scene.victim, laneProtocol);
      await lane.send(scene.theirs.token);
      await link.send(joinWith(proofFor(scene, 'dialler')));
      const heardAtMs: number[] = [];
      const reading = (async () => {
        for await (const bytes of link)
          if (decodeBondMessage(bytes).kind === 'beat') heardAtMs.push(world.now);
      })();
      for (let second = 0; second < 60; second++) {
        await link.send(BEAT);
        await world.sleep(1_000);
      }
      link.abort();
      await reading.catch(() => {});
      // Where something else was sent the next beat comes later, and where what it hung on was sent between two looks.
      const intervals = heardAtMs.slice(1).map((at, index) => at - (heardAtMs[index] as number));
      const between = intervals.filter((ms) => ms < 1.5 * INTERVAL_MS);
      expect(between.length).toBeGreaterThan(180);
      const [least, most] = [Math.min(...between), Math.max(...between)];
      expect(least).toBeGreaterThanOrEqual(0.9 * INTERVAL_MS - 5);
      expect(most).toBeLessThanOrEqual(1.1 * INTERVAL_MS + 5);
      expect(least).toBeLessThan(0.95 * INTERVAL_MS);
      expect(most).toBeGreaterThan(1.05 * INTERVAL_MS);
    }));

  it.each([
    [0, 225],
    [0.5, 250],
    [0.999_999, 275],
  ])('are due after 250 ms ± 10 %, by chance: %d gives %d', (chance, dueMs) => {
    let nowMs = 0;
    const sentAtMs: number[] = [];
    const pulse = new Pulse({
      runtime: { ...systemRuntime, now: () => nowMs, random: () => chance },
      settings: bondSettings(),
      lookEveryMs: 1,
      sentMessages: () => sentAtMs.length,
      beat: () => sentAtMs.push(nowMs),
    });
    for (; nowMs < 1_000; nowMs++) pulse.tick(nowMs);
    const [first = 0, second = 0] = sentAtMs;
    expect(Math.abs(second - first - dueMs)).toBeLessThanOrEqual(1);
  });
});
