/** A node that tests talk to, stop and kill: echoes, holds, floods, as it is asked. */
import type { PeerId } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { type NodeOptions, startNode } from '../support/nodes.ts';
import { programArgument, serveCalls } from '../support/program.ts';
import { Echo, echo, Hold } from '../support/protocols.ts';
import { record } from '../support/wait.ts';

const transport = await startNode(programArgument<NodeOptions>());
const events = record(transport);
const held: Link<Uint8Array>[] = [];
let flood: { link: Link<Uint8Array>; accepted: number; done: Promise<void> } | undefined;

transport.accept(Echo, echo);
transport.accept(Hold, (link) => void held.push(link));

/** Messages are numbered in their first four bytes. */
function numbered(n: number, bytes: number): Uint8Array {
  const message = new Uint8Array(bytes);
  new DataView(message.buffer).setUint32(0, n);
  return message;
}

function numberOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0);
}

async function startFlood(to: { peer: PeerId; messages: number; bytes: number }): Promise<void> {
  const link = await transport.open(to.peer, Hold);
  const send = async (): Promise<void> => {
    for (let n = 0; n < to.messages; n++) {
      await link.send(numbered(n, to.bytes));
      if (flood) flood.accepted++;
    }
    await link.close();
  };
  flood = { link, accepted: 0, done: Promise.resolve() };
  flood.done = send();
}

async function readHeld(): Promise<{ count: number; outOfOrder: number; end: unknown }> {
  const [link] = held;
  if (link === undefined) throw new Error('no link is held');
  let count = 0;
  let outOfOrder = 0;
  try {
    for await (const message of link) {
      if (numberOf(message) !== count) outOfOrder++;
      count++;
    }
  } catch {
    // How it ended is in the answer.
  }
  return { count, outOfOrder, end: link.end };
}

/** Opens many links as fast as it can and keeps them; returns how many of them ended with which code. */
async function openMany(to: { peer: PeerId; count: number }): Promise<Record<string, number>> {
  const links = await Promise.all(
    Array.from({ length: to.count }, () => transport.open(to.peer, Echo).catch((error: Error) => error.name)),
  );
  const outcomes: Record<string, number> = {};
  const count = (key: string): void => {
    outcomes[key] = (outcomes[key] ?? 0) + 1;
  };
  const outcomeOf = async (link: Link<unknown> | string): Promise<string> => {
    if (typeof link === 'string') return link;
    const answer = (link as Link<{ n: number }>).send({ n: 1 }).then(() => link.receive());
    const isOpen = await answer.then(
      (item) => item !== undefined,
      () => false,
    );
    return isOpen ? 'open' : `${link.end?.kind} ${link.end && 'code' in link.end ? link.end.code : ''}`;
  };
  for (const outcome of await Promise.all(links.map(outcomeOf))) count(outcome);
  return outcomes;
}

/** What is still referred to: unlike the resident set, without what only waits to be collected. */
function retainedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

serveCalls({
  local: () => ({ peerId: transport.local.peerId, addresses: transport.local.addresses.value }),
  peers: () => [...transport.connections.value.keys()],
  events: () => events,
  connect: (address: string) => transport.connect(address),
  close: () => transport.close(),
  flood: startFlood,
  openMany,
  readHeld,
  floodStats: () => ({
    accepted: flood?.accepted ?? 0,
    unsentBytes: flood?.link.stats.unsentBytes ?? 0,
    end: flood?.link.end?.kind ?? 'none',
    rssBytes: process.memoryUsage.rss(),
  }),
  retainedBytes,
  rssBytes: () => process.memoryUsage.rss(),
  unreadBytes: () => held[0]?.stats.unreadBytes ?? 0,
});
