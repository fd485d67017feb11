import type { TopicVerdict, Transport } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { addressOf, startNode } from '../support/nodes.ts';
import { until } from '../support/wait.ts';

const NODES = 5;
const MESSAGES = 20;

const shapes: Record<string, readonly (readonly [number, number])[]> = {
  line: [
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
  ],
  star: [
    [0, 1],
    [0, 2],
    [0, 3],
    [0, 4],
  ],
};

interface Ear {
  readonly node: Transport;
  readonly heard: string[];
  verdict: TopicVerdict;
}

/** Nodes that are connected as told, all subscribed, all knowing of the subscriptions of their neighbours. */
async function setUp(edges: readonly (readonly [number, number])[]) {
  const stack = new AsyncDisposableStack();
  const ears: Ear[] = [];
  for (let n = 0; n < NODES; n++) {
    const ear: Ear = {
      node: stack.use(await startNode({ secretKey: `topics ${n}` })),
      heard: [],
      verdict: 'accept',
    };
    ear.node.topic('news').subscribe(({ data }) => {
      ear.heard.push(new TextDecoder().decode(data));
      return ear.verdict;
    });
    ears.push(ear);
  }
  const at = (index: number): Ear => ears[index] as Ear;
  for (const [a, b] of edges) await at(a).node.connect(addressOf(at(b).node));
  const degree = (index: number): number => edges.filter((edge) => edge.includes(index)).length;
  await until('all know their neighbours', 10_000, () =>
    ears.every(({ node }, index) => node.topic('news').peers.length === degree(index)),
  );
  return { ears, at, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const publish = (from: Ear, text: string): Promise<number> =>
  from.node.topic('news').publish(new TextEncoder().encode(text));

describe.each(Object.entries(shapes))('a topic over five nodes in a %s', (shape, edges) => {
  it('brings each message to every node once', async () => {
    await using stage = await setUp(edges);
    const { ears } = stage;
    // The meshes form within a heartbeat: the first one through shows that they have.
    await until('the mesh stands', 10_000, async () => {
      await publish(ears[NODES - 1] as Ear, 'are you there?');
      return ears.slice(0, -1).every(({ heard }) => heard.length > 0);
    });
    const sent = ears.flatMap((_, from) =>
      Array.from({ length: MESSAGES }, (__, n) => `${shape} ${from} ${n}`),
    );
    for (const text of sent) await publish(ears[Number(text.split(' ')[1])] as Ear, text);
    const toHear = (own: number): string[] =>
      sent.filter((text) => text.split(' ')[1] !== String(own)).sort();
    const newsOf = ({ heard }: Ear): string[] => heard.filter((text) => text.startsWith(shape));
    await until('all have heard', 10_000, () =>
      ears.every((ear) => newsOf(ear).length >= (NODES - 1) * MESSAGES),
    );
    for (const [own, ear] of ears.entries()) expect(newsOf(ear).sort()).toEqual(toHear(own));
  });
});

it('a message that a node rejects goes no further', async () => {
  await using stage = await setUp(shapes['line'] ?? []);
  const { ears, at } = stage;
  await until('the mesh stands', 10_000, async () => {
    await publish(at(0), 'are you there?');
    return at(4).heard.length > 0;
  });
  at(2).verdict = 'reject';
  await publish(at(0), 'forged');
  await until('it has come that far', 10_000, () => at(2).heard.includes('forged'));
  at(2).verdict = 'accept';
  await publish(at(2), 'true');
  await until('another has passed', 10_000, () => at(4).heard.includes('true'));
  expect(ears.map(({ heard }) => heard.includes('forged'))).toEqual([false, true, true, false, false]);
});
