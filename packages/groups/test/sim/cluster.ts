import type { Discovery } from '@mosaik/discovery';
import type { PeerId } from '@mosaik/primitives';
import type { Host, World } from '@mosaik/testing';
import type { Transport } from '@mosaik/transport';
import type { Group } from '../../src/group.ts';
import { createGroupsWith, type Groups } from '../../src/groups.ts';
import {
  keyValue,
  type MapAnswer,
  type MapCommand,
  type MapQuery,
  type MapResult,
} from '../../src/machine/index.ts';
import type { LeadershipPreference } from '../../src/machine/machine.ts';
import type { ConsensusOptions, GroupsTestOptions, JoinOptions } from '../../src/options.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { startBase } from '../support/world.ts';

export type Values = Group<MapCommand<number>, MapResult<number>, MapQuery, MapAnswer<number>>;

/** A node of a cluster, in a group. */
export interface Node {
  readonly host: Host;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly groups: Groups;
  readonly peer: PeerId;
  readonly group: Values;
  close(): Promise<void>;
}

export interface NodeOptions {
  readonly bootstrap?: readonly string[];
  readonly consensus?: ConsensusOptions;
  readonly storage?: Storage;
  readonly leadership?: LeadershipPreference;
  readonly rules?: GroupsTestOptions['rules'];
  readonly watchCore?: GroupsTestOptions['watchCore'];
  readonly join?: Partial<JoinOptions<MapCommand<number>, MapResult<number>, MapQuery, MapAnswer<number>>>;
}

/** Starts a node on a host and joins the group. */
export async function startNode(world: World, name: string, options: NodeOptions = {}): Promise<Node> {
  const host = world.hosts.find((known) => known.name === name) ?? world.host(name);
  const { bootstrap = [], consensus, storage, leadership, join, rules, watchCore } = options;
  const base = await startBase(host, bootstrap);
  const groups = createGroupsWith({ ...base, ...(rules === undefined ? {} : { rules }), watchCore });
  const group = await groups.join({
    key: 'sim',
    machine: { ...keyValue<number>(), leadership },
    consensus: { compareStateEvery: 64, ...consensus },
    storage,
    ...join,
  });
  return {
    ...base,
    groups,
    group,
    peer: base.transport.local.peerId,
    close: async () => {
      await groups.close();
      await base.discovery.close();
      await base.transport.close();
    },
  };
}

/** Starts nodes `n0`, `n1`, …, each told of the first. */
export async function startCluster(world: World, count: number, options: NodeOptions = {}): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let index = 0; index < count; index++)
    nodes.push(
      await startNode(world, `n${index}`, { ...options, bootstrap: index === 0 ? [] : ['sim://n0'] }),
    );
  return nodes;
}

/** The member that leads, if all agree on one. */
export function leaderOf(nodes: readonly Node[]): Node | undefined {
  const leaders = new Set(nodes.map(({ group }) => group.stats.leader));
  if (leaders.size !== 1) return undefined;
  return nodes.find(({ peer, group }) => leaders.has(peer) && group.stats.role === 'leader');
}

/** Whether there is a leader, so many vote, and everybody is counted in. */
export function isFormed(nodes: readonly Node[], voters: number): boolean {
  if (leaderOf(nodes) === undefined) return false;
  return nodes.every(({ group }) => {
    const { stats } = group;
    return stats.voters.length === voters && stats.voters.length + stats.learners.length === nodes.length;
  });
}

/** What the group looks like to each, for messages. */
export function describe(nodes: readonly Node[]): string {
  return nodes
    .map(({ host, group }) => {
      const { role, term, bonds, voters, learners, log, pendingCommands, pendingReads } = group.stats;
      const work = group.stats.isResting ? 'rests' : `${pendingCommands} commands, ${pendingReads} reads`;
      const counts = `${voters.length}+${learners.length}, ${bonds} bonds, log ${log.applied}/${log.committed}/${log.lastIndex}`;
      return `${host.name}: ${role} in term ${term}, ${counts}, ${work}; ${group.why().text}`;
    })
    .join('\n');
}
