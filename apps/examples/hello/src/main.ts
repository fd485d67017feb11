/**
 * What exists so far, in one minute of reading: three nodes, each given a secret key and one address, talk over typed
 * links and a gossip topic; one of them goes away and the others notice.
 */
import { cborCodec, shortId } from '@mosaik/primitives';
import { protocol, type Transport } from '@mosaik/transport';
import { createLibp2pTransport } from '@mosaik/transport/libp2p';

interface Greeting {
  readonly from: string;
  readonly text: string;
}

const greet = protocol({ name: 'hello', codec: cborCodec<Greeting>() });

const startNode = (name: string): Promise<Transport> =>
  createLibp2pTransport({
    network: 'hello',
    secretKey: `${name}'s key, for this demo`,
    listen: ['/ip4/127.0.0.1/tcp/0'],
  });

async function main(): Promise<void> {
  const [ada, bob, cleo] = await Promise.all(['ada', 'bob', 'cleo'].map(startNode));
  if (!ada || !bob || !cleo) return;
  const names = new Map([
    [ada.local.peerId, 'ada'],
    [bob.local.peerId, 'bob'],
    [cleo.local.peerId, 'cleo'],
  ]);
  for (const [peer, name] of names) console.log(`${name.padEnd(5)} is ${shortId(peer)}`);

  ada.accept(greet, async (link) => {
    for await (const { from, text } of link)
      await link.send({ from: 'ada', text: `hello ${from}, you said "${text}"` });
  });

  const address = ada.local.addresses.value[0] ?? '';
  for (const node of [bob, cleo]) {
    const name = names.get(node.local.peerId) ?? '';
    await node.connect(address);
    await using link = await node.open(ada.local.peerId, greet);
    await link.send({ from: name, text: 'anybody there?' });
    const answer = await link.receive();
    console.log(
      `${name.padEnd(5)} was answered: ${answer?.text}  (round trip ${node.rtt(ada.local.peerId)?.toFixed(1)} ms)`,
    );
  }

  const events = ada.events.subscribe();
  await bob.close();
  for await (const event of events) {
    if (event.type !== 'disconnected') continue;
    console.log(`ada   noticed that ${names.get(event.peer)} is gone: ${event.reason}`);
    break;
  }
  await Promise.all([ada.close(), cleo.close()]);
}

await main();
