/**
 * A counter that three nodes hold together. Each adds to it, at the same time; every addition counts once, and what was
 * acknowledged is still there when one of them has gone.
 */
import { Counter, Network } from 'mosaik';

const listen = ['/ip4/127.0.0.1/tcp/0'];
const first = await Network.create('counting', { listen });
const bootstrap = first.local.addresses.value;
const nodes = [
  first,
  ...(await Promise.all([2, 3].map(() => Network.create('counting', { listen, bootstrap })))),
];

// Whoever has the key is a member. Three found the group, so it takes two of them to go on: no two counters can come about.
const groups = await Promise.all(
  nodes.map((node) =>
    node.groups.join({ key: 'the secret of the counters', machine: Counter, consensus: { founders: 3 } }),
  ),
);

// Each adds a hundred ones, all under way at once. `execute` resolves when a majority has it.
await Promise.all(groups.flatMap((group) => Array.from({ length: 100 }, () => group.execute({ add: 1 }))));

// Strong: shows all that was acknowledged to anybody before. Weak would be what this node knows now.
for (const [index, group] of groups.entries()) {
  const { result } = await group.query(null, 'strong');
  console.log(`node ${index + 1} reads ${result}`);
}

const leader = groups.findIndex((group) => group.stats.role === 'leader');
console.error(`node ${leader + 1} leads, and leaves`);
await nodes[leader]?.close();

const [left, other] = groups.filter((_, index) => index !== leader);
await left?.execute({ add: 1 });
console.log(`without the leader it is ${(await other?.query(null, 'strong'))?.result}`);
await Promise.all(nodes.map((node) => node.close()));
