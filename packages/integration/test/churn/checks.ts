import type { Tally } from './board.ts';
import type { Churn } from './churn.ts';
import type { Member } from './member.ts';
import type { Node } from './node.ts';

/** Whether each node knows exactly the others, as they are now. */
export function areEqualCatalogs(nodes: readonly Node[]): boolean {
  const truth = new Map(
    nodes.map(({ network }) => [network?.discovery.me.peer, network?.discovery.me.version]),
  );
  return nodes.every(({ network }) => {
    const catalog = network?.discovery.catalog;
    if (catalog?.size !== nodes.length - 1) return false;
    for (const { peer, version } of catalog) {
      const newest = truth.get(peer);
      if (newest?.start !== version.start || newest.update !== version.update) return false;
    }
    return true;
  });
}

/** Whether each node knows exactly the others, whatever it has heard of them last. */
export function knowEachOther(nodes: readonly Node[]): boolean {
  const peers = nodes.map(({ peer }) => peer);
  return nodes.every(({ peer: own, network }) => {
    const catalog = network?.discovery.catalog;
    return catalog?.size === peers.length - 1 && peers.every((peer) => peer === own || catalog.has(peer));
  });
}

/** Whether the members agree on a leader, are all bonded, and all vote. */
export function isWhole({ members }: Churn): boolean {
  const leaders = new Set(members.map(({ stats }) => stats?.leader));
  return (
    leaders.size === 1 &&
    !leaders.has(undefined) &&
    members.every(({ group }) => {
      const stats = group?.stats;
      const isCounted = stats?.voters.length === members.length && stats.learners.length === 0;
      return isCounted && stats.bonds === members.length - 1 && group?.why().code === 'ok';
    })
  );
}

/** At the end, without load: all states are the same, and all that was acknowledged is in them, once. */
export async function checkBoard(churn: Churn): Promise<void> {
  const { members } = churn;
  const last = Math.max(...members.map(({ stats }) => stats?.log.committed ?? 0));
  await churn.world.until(() => members.every(({ stats }) => (stats?.log.applied ?? 0) >= last), {
    withinMs: 10_000,
  });
  const dumps = await Promise.all(members.map((member) => member.dump()));
  if (new Set(dumps.map((dump) => JSON.stringify(dump))).size !== 1)
    throw new Error(`the states differ: ${JSON.stringify(dumps)}`);
  checkTallies(dumps[0]?.tallies ?? {}, members);
  for (const member of members) {
    const { divergence } = member.stats ?? {};
    if (divergence !== undefined) throw new Error(`a member has diverged at ${divergence.index}`);
    if ((member.group?.reverted().length ?? 0) > 0) throw new Error('a member was reverted');
  }
}

/** Nothing was applied twice, and nothing that a client was told of is missing. */
function checkTallies(tallies: Readonly<Record<string, Tally>>, members: readonly Member[]): void {
  for (const [client, { repeated }] of Object.entries(tallies))
    if (repeated.length > 0) throw new Error(`commands of ${client} were applied again: ${repeated}`);
  for (const [client, told] of members.flatMap(({ acknowledged }) => [...acknowledged])) {
    const { last, missing }: Pick<Tally, 'last' | 'missing'> = tallies[client] ?? { last: -1, missing: [] };
    const lost = told.filter((number) => number > last || missing.includes(number));
    if (lost.length > 0) throw new Error(`acknowledged to ${client}, and not applied: ${lost}`);
  }
}
