import { createScope } from '@mosaik/primitives';
import { createWorld, type World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { LimitedEgress, type Sender, unlimited } from '../../src/producer/egress.ts';

const RATE = 100_000;

/** Wants to send blocks of some size without end. */
class Greedy implements Sender {
  sent = 0;
  readonly #egress: LimitedEgress;
  readonly #bytes: number;

  constructor(egress: LimitedEgress, bytes: number) {
    this.#egress = egress;
    this.#bytes = bytes;
  }

  start(): void {
    while (this.#egress.request(this, this.#bytes)) this.sent += this.#bytes;
  }

  onTurn(): void {
    this.sent += this.#bytes;
    this.start();
  }
}

function run(test: (egress: LimitedEgress, world: World) => Promise<void>): Promise<void> {
  const world = createWorld();
  return world.run(async () => {
    const { runtime } = world.host('sender');
    const fail = (error: Error): void => {
      throw error;
    };
    const scope = createScope({ runtime, name: 'egress', onError: fail });
    await test(new LimitedEgress(scope, RATE), world);
    await scope.close();
  });
}

describe('egress', () => {
  it('without a limit lets everything out', () => {
    expect(unlimited.request({ onTurn: () => {} }, 1e9)).toBe(true);
  });

  it('keeps to its rate', () =>
    run(async (egress, world) => {
      const sender = new Greedy(egress, 1_000);
      sender.start();
      await world.sleep(10_000);
      expect(sender.sent).toBeGreaterThan(0.98 * 10 * RATE);
      expect(sender.sent).toBeLessThan(10.2 * RATE);
    }));

  it('keeps to its rate with blocks larger than a second of it', () =>
    run(async (egress, world) => {
      const sender = new Greedy(egress, 3 * RATE);
      sender.start();
      await world.sleep(60_000);
      expect(sender.sent).toBeGreaterThanOrEqual(57 * RATE);
      expect(sender.sent).toBeLessThanOrEqual(63 * RATE);
    }));

  it('is shared fairly in bytes, whatever the size of the blocks', () =>
    run(async (egress, world) => {
      const senders = [200, 1_000, 5_000, 20_000].map((bytes) => new Greedy(egress, bytes));
      for (const sender of senders) sender.start();
      await world.sleep(60_000);
      for (const { sent } of senders) expect(sent / (60 * RATE)).toBeCloseTo(0.25, 1);
      for (const { sent } of senders) expect(sent).toBeGreaterThan(0.97 * 15 * RATE);
    }));

  it('gives nothing extra to who was idle, and the share of who leaves to the others', () =>
    run(async (egress, world) => {
      const [first, second] = [new Greedy(egress, 1_000), new Greedy(egress, 1_000)];
      first.start();
      await world.sleep(10_000);
      second.start();
      const before = first.sent;
      await world.sleep(10_000);
      expect((first.sent - before) / second.sent).toBeCloseTo(1, 1);
      egress.leave(second);
      const [alone, gone] = [first.sent, second.sent];
      await world.sleep(10_000);
      expect(first.sent - alone).toBeGreaterThan(0.98 * 10 * RATE);
      expect(second.sent).toBe(gone);
    }));
});
