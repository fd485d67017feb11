import { sleep } from '@mosaik/primitives';
import type { Transport } from '@mosaik/transport';
import { createWorld, type World } from '../../src/index.ts';
import { echo, Numbers } from './protocols.ts';

/** What a scenario leaves behind. */
export interface Outcome {
  readonly hash: string;
  readonly events: number;
  readonly replies: number;
  readonly lines: readonly string[];
}

/** Talks to all others for as long as the world runs, through whatever happens. */
async function chatter(
  world: World,
  self: Transport,
  others: readonly Transport[],
  tell: () => void,
): Promise<void> {
  const { runtime } = self;
  for (;;) {
    const other = others[Math.floor(runtime.random() * others.length)]!;
    await sleep(runtime, 5 + 50 * runtime.random());
    try {
      const link = await self.open(other.local.peerId, Numbers);
      await link.send({ n: Math.floor(1_000 * runtime.random()) });
      await link.receive();
      tell();
      await link.close();
      await self.topic('news').publish(runtime.randomBytes(20));
    } catch {
      world.trace.hash();
    }
  }
}

/** A world in which everything that there is happens, for a while. */
export async function runScenario(seed: string | number, trace = false): Promise<Outcome> {
  const world = createWorld({ seed, trace });
  let replies = 0;
  const start = (transport: Transport, others: readonly Transport[]): void => {
    echo(transport);
    transport.topic('news').subscribe(() => 'accept');
    for (const other of others) transport.setAddresses(other.local.peerId, other.local.addresses.value);
    for (const other of others) transport.keep(other.local.peerId);
    void chatter(world, transport, others, () => replies++);
  };
  await world.run(async () => {
    const hosts = [0, 1, 2, 3, 4].map((index) =>
      world.host(`host-${index}`, { skewMs: index * 100, driftPpm: index * 50 }),
    );
    const transports = hosts.map((host) => host.transport());
    for (const transport of transports)
      start(
        transport,
        transports.filter((other) => other !== transport),
      );
    await world.sleep(2_000);
    const delay = world.faults.delaySome({ share: 0.05, byMs: 300 });
    const loss = world.faults.loseConnections({ perMinute: 10 });
    await world.sleep(3_000);
    const cut = world.faults.partition(hosts.slice(0, 2), hosts.slice(2));
    await world.sleep(7_000);
    cut.heal();
    hosts[3]!.crash({ mode: 'powerLoss' });
    hosts[4]!.stall(1_500);
    await world.sleep(3_000);
    hosts[3]!.restart();
    const reborn = hosts[3]!.transport();
    start(
      reborn,
      transports.filter((_, index) => index !== 3),
    );
    delay.heal();
    loss.heal();
    await world.sleep(5_000);
    hosts[0]!.crash();
    await world.sleep(1_000);
  });
  return { hash: world.trace.hash(), events: world.stats.events, replies, lines: world.trace.lines };
}
