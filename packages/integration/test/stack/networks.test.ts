import type { PeerId } from '@mosaik/primitives';
import { expect, it } from 'vitest';
import type { WriteReport } from '../support/groups.ts';
import type { Receipt } from '../support/ledger.ts';
import { auditAll, type StackProcess, startStack, untilKnown, untilWhole } from '../support/stack.ts';
import { until, within } from '../support/wait.ts';

const COUNT = 3;
const WRITES = 20;
const NUMBERS = 200;

/** The same key of the group, and the same stream: the name of the network alone keeps them apart. */
const KEY = 'of both networks';

async function startNetwork(network: string, others: readonly string[]): Promise<StackProcess[]> {
  const start = (index: number, bootstrap: readonly string[]): Promise<StackProcess> =>
    startStack({
      network,
      secretKey: `${network} ${index}`,
      bootstrap,
      member: { key: KEY },
      consumes: true,
      ...(index === 0 ? { producesPerSecond: 500 } : {}),
    });
  const first = await start(0, others);
  const rest = Array.from({ length: COUNT - 1 }, (_, index) => start(index + 1, [...others, first.address]));
  return [first, ...(await Promise.all(rest))];
}

async function writeAt(nodes: readonly StackProcess[], prefix: string): Promise<Receipt[]> {
  return await Promise.all(
    nodes.map(async (node, index) => {
      const receipt = { prefix: `${prefix} ${index}/`, from: 0 };
      const { indices } = await node.call<WriteReport>('write', { ...receipt, count: WRITES });
      return { ...receipt, indices };
    }),
  );
}

async function expectApart(nodes: readonly StackProcess[]): Promise<void> {
  const own = new Set<PeerId>(nodes.map(({ peerId }) => peerId));
  for (const node of nodes) {
    expect((await node.known()).every((peer) => own.has(peer))).toBe(true);
    const { bonds, voters, learners } = await node.view();
    expect({ bonds, voters: voters.length, learners: learners.length }).toEqual({
      bonds: COUNT - 1,
      voters: COUNT,
      learners: 0,
    });
    for (const member of voters) expect([...own].some((peer) => member.startsWith(peer))).toBe(true);
  }
  const [producer] = nodes;
  const { epoch } = (await producer?.produced()) ?? {};
  for (const node of nodes) {
    const { epochs, misplaced } = await node.seen();
    expect({ epochs: Object.keys(epochs), misplaced }).toEqual({ epochs: [epoch], misplaced: [] });
  }
}

it('two networks on one machine, told addresses of each other, form each by itself and never mix', async () => {
  const red = await startNetwork('stack red', []);
  const blue: StackProcess[] = [];
  try {
    blue.push(...(await startNetwork('stack blue', [red[0]?.address ?? ''])));
    // Also the other way round: the first of the reds knows nobody, so the last one of them starts anew.
    const [last] = red.splice(-1);
    await last?.leave();
    red.push(
      await startStack({
        ...(last as StackProcess).options,
        bootstrap: blue.map(({ address }) => address).concat(red[0]?.address ?? ''),
      }),
    );
    await Promise.all([red, blue].map((nodes) => untilKnown(nodes, 20_000)));
    await Promise.all([red, blue].map((nodes) => untilWhole(nodes, 30_000)));
    const [ofRed, ofBlue] = await Promise.all([writeAt(red, 'red'), writeAt(blue, 'blue')]);
    for (const [nodes, receipts] of [
      [red, ofRed],
      [blue, ofBlue],
    ] as const) {
      const kept = { deposits: COUNT * WRITES, missing: [], misplaced: [], repeated: [] };
      expect(await auditAll(nodes, receipts)).toEqual(nodes.map(() => kept));
      for (const node of nodes) await within('numbers come', 20_000, untilNumbered(node));
    }
    await expectApart(red);
    await expectApart(blue);
    // Who was told an address of the other network has tried it, and who was tried has noticed.
    const refusals = (nodes: readonly StackProcess[]): Promise<number[]> =>
      Promise.all(nodes.map((node) => node.strangers()));
    const [tried, , told] = await refusals(red);
    for (const count of [tried, told, ...(await refusals(blue))]) expect(count).toBeGreaterThan(0);
  } finally {
    await Promise.all([...red, ...blue].map((node) => node[Symbol.asyncDispose]()));
  }
});

async function untilNumbered(node: StackProcess): Promise<void> {
  await until('numbers have come', 20_000, async () => {
    const { epochs } = await node.seen();
    return Object.values(epochs).some(({ data }) => data >= NUMBERS);
  });
}
