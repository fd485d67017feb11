import { areEqualCatalogs, isWhole } from './checks.ts';
import type { Churn } from './churn.ts';

/** In virtual time after all is healed. */
const CATALOGS_MS = 30_000;
const GROUP_MS = 60_000;
const DATA_MS = 60_000;
const FORMED_MS = 5_000;
const STEP_MS = 100;

/** Waits until those that have been started know each other, and the group is founded: before that there is nothing to lose. */
export async function untilFormed(churn: Churn): Promise<void> {
  const up = churn.nodes.filter((node) => node.isUp);
  await settles(churn, 'the first catalogs are equal', FORMED_MS, () => areEqualCatalogs(up));
  await settles(churn, 'the group is founded', FORMED_MS, () => isWhole(churn));
}

/** Waits until all know each other, the group is whole, and everybody has seen all there was when the group was. */
export async function untilSettled(churn: Churn): Promise<void> {
  await settles(churn, 'the catalogs are equal', CATALOGS_MS, () => areEqualCatalogs(churn.nodes));
  await settles(churn, 'the group is whole', GROUP_MS, () => isWhole(churn));
  await settles(churn, 'everybody has seen all ticks', DATA_MS, haveTicked(churn));
  await settles(churn, 'everybody has seen all orders', DATA_MS, haveOrdered(churn));
  for (const folder of churn.folds) folder.check(churn.books);
}

async function settles(churn: Churn, what: string, withinMs: number, check: () => boolean): Promise<void> {
  const begunMs = churn.world.now;
  while (!check()) {
    if (churn.world.now > begunMs + withinMs)
      throw new Error(`not within ${withinMs} ms: ${what}\n${describe(churn)}`);
    await churn.pause(STEP_MS);
  }
  churn.note(`${what}, after ${(churn.world.now - begunMs).toFixed(0)} ms`);
}

/** Each consumer is subscribed to each producer: a datum that was sent from now on has reached it, or the last one. */
function haveTicked(churn: Churn): () => boolean {
  const wanted = churn.tickProducers.map(({ producer }) => producer?.position);
  return () =>
    churn.tickConsumers.every((consumer) =>
      churn.tickProducers.every((producer, index) => {
        const { epoch, next } = wanted[index] ?? {};
        const seen = epoch && consumer.nextOf(churn.nodeOf(producer).peer, epoch);
        // Who subscribes after the last one sees nothing.
        return churn.isOver && next === 0 ? true : seen !== undefined && seen >= (next ?? 0);
      }),
    );
}

function haveOrdered(churn: Churn): () => boolean {
  const wanted = churn.retainers.map(({ producer }) => producer?.position);
  return () => {
    const cursors = [
      ...churn.replays.map(({ replay }) => replay?.cursor.positions),
      ...churn.folds.map(({ fold }) => fold?.cursor.positions),
      ...churn.mirrors.map(({ retained }) =>
        retained?.logs.map(({ identity: { log }, extent: { next } }) => ({ log, next })),
      ),
    ];
    return cursors.every((positions) =>
      wanted.every(
        (position) =>
          position?.next === 0 ||
          positions?.some(({ log, next }) => log === position?.epoch && next >= position.next),
      ),
    );
  };
}

function describe(churn: Churn): string {
  const catalogs = churn.nodes.map(
    ({ host, network }) =>
      `${host.name} (${network?.local.peerId.slice(0, 8)}) knows ${network?.discovery.catalog.size}`,
  );
  const groups = churn.members.map((member) => {
    const { stats } = member;
    return `${churn.nodeOf(member).host.name}: ${stats?.role} in term ${stats?.term}, ${stats?.voters.length}+${stats?.learners.length}; ${member.group?.why().text}`;
  });
  const streams = churn.nodes.flatMap(({ host, network }) =>
    [...(network?.streams.producers ?? []), ...(network?.streams.consumers ?? [])].map(
      (end) => `${host.name}, ${end.name}: ${end.why().text}`,
    ),
  );
  const replays = churn.replays.map(
    (replayer) => `${churn.nodeOf(replayer).host.name} replays: ${replayer.replay?.why().text}`,
  );
  return [...catalogs, ...groups, ...streams, ...replays].join('\n');
}
