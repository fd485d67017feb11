import { systemRuntime } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { type SyncResult, serveSync, syncWith } from '../../src/sync/session.ts';
import { counting, memoryLinks } from './support/memory-link.ts';
import { entryBytes, ModelCatalog, peer, version } from './support/model-catalog.ts';

const runtime = systemRuntime;
const ENTRY_BYTES = entryBytes({ peer: peer(0), version: version(0) }).length;
const RUNS = 8;

interface Measured {
  readonly near: SyncResult;
  readonly far: SyncResult;
  readonly messages: readonly { readonly kind: string; readonly bytes: number }[];
  /** Payload of all messages, both ways. */
  readonly bytes: number;
}

async function measure(a: ModelCatalog, b: ModelCatalog): Promise<Measured> {
  const messages: { kind: string; bytes: number }[] = [];
  const protocol = counting(messages);
  const links = memoryLinks({ near: protocol, far: protocol });
  const [near, far] = await Promise.all([
    syncWith(links.near, a, { runtime }),
    serveSync(links.far, b, { runtime }),
  ]);
  expect(a.contents).toEqual(b.contents);
  return { near, far, messages, bytes: near.bytesOut + far.bytesOut };
}

/** Two catalogs of 1,000 of which `differences` peers are newer on one side or the other. */
function differing(differences: number, seed: number): readonly [ModelCatalog, ModelCatalog] {
  const a = ModelCatalog.numbered(0, 1_000);
  const b = ModelCatalog.numbered(0, 1_000);
  for (let index = 0; index < differences; index++) {
    const number = (seed * 97 + index * 41) % 1_000;
    (index % 2 === 0 ? a : b).insert({ peer: peer(number), version: version(0, 1) });
  }
  return [a, b];
}

/** The mean over several choices of who differs. */
async function meanOf(differences: number): Promise<{ bytes: number; rounds: number }> {
  let [bytes, rounds] = [0, 0];
  for (let seed = 0; seed < RUNS; seed++) {
    const measured = await measure(...differing(differences, seed));
    expect(measured.near.received + measured.far.received).toBe(differences);
    bytes += measured.bytes / RUNS;
    rounds = Math.max(rounds, measured.near.rounds);
  }
  return { bytes, rounds };
}

function report(what: string, { near, bytes, messages }: Measured): void {
  console.info(`${what}: ${bytes} bytes in ${messages.length} messages, ${near.rounds} rounds`);
}

describe('the bytes of a sync', () => {
  it('are one small message each way when the catalogs are equal', async () => {
    const sizes = [...Array.from({ length: 35 }, (_, count) => count), 255, 256, 257, 1_000, 5_000];
    for (const count of sizes) {
      const measured = await measure(ModelCatalog.numbered(0, count), ModelCatalog.numbered(0, count));
      if (count < 3 || count > 250) report(`${count} equal entries`, measured);
      expect(measured.messages.map(({ kind }) => kind)).toEqual(['open', 'step']);
      for (const { bytes } of measured.messages) expect(bytes).toBeLessThan(64);
    }
  });

  it('follow the difference between two catalogs of 1,000', async () => {
    const costs = new Map<number, number>();
    for (const differences of [1, 5, 10, 20, 40, 80]) {
      const { bytes, rounds } = await meanOf(differences);
      costs.set(differences, bytes);
      const each = Math.round(bytes / differences);
      console.info(
        `1,000 against 1,000, ${differences} differ: ${Math.round(bytes)} bytes, ${each} each, ${rounds} rounds`,
      );
      expect(rounds).toBeLessThanOrEqual(6);
    }
    const cost = (differences: number): number => costs.get(differences) as number;
    expect(cost(10)).toBeLessThan(10 * (ENTRY_BYTES + 600));
    expect(cost(20)).toBeLessThan(20 * (ENTRY_BYTES + 600));
    expect(cost(20) / cost(10)).toBeGreaterThan(1.5);
    expect(cost(20) / cost(10)).toBeLessThan(2.2);
    // All of a catalog would be a hundred times the ten entries.
    expect(cost(10) * 40).toBeLessThan(1_000 * ENTRY_BYTES);
  });

  it('are hardly more than the entries when one side has none', async () => {
    const bound = 1_000 * (ENTRY_BYTES + 60) + 2_000;
    const pulled = await measure(new ModelCatalog(), ModelCatalog.numbered(0, 1_000));
    report('empty against 1,000', pulled);
    expect(pulled.near.changed).toBe(1_000);
    expect(pulled.bytes).toBeLessThan(bound);
    const pushed = await measure(ModelCatalog.numbered(0, 1_000), new ModelCatalog());
    report('1,000 against empty', pushed);
    expect(pushed.far.changed).toBe(1_000);
    expect(pushed.bytes).toBeLessThan(bound);
  });

  it('are the entries and some dozen bytes each when nothing is common', async () => {
    const measured = await measure(ModelCatalog.numbered(0, 1_000), ModelCatalog.numbered(1_000, 2_000));
    report('1,000 against 1,000 others', measured);
    expect(measured.near.received).toBe(1_000);
    expect(measured.far.received).toBe(1_000);
    expect(measured.bytes).toBeLessThan(2_000 * (ENTRY_BYTES + 130));
  });
});
