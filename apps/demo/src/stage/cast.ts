import type { Role } from '../contract.ts';
import type { Topology } from '../journal.ts';

/** A process of the demo. */
export interface Actor {
  readonly name: string;
  readonly role: Role;
  /** The how-many-eth of its role, from 0. */
  readonly index: number;
}

function several(role: Role, count: number): Actor[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${role}-${index + 1}`, role, index }));
}

export const BEACON: Actor = { name: 'beacon', role: 'beacon', index: 0 };
export const MATCHERS: readonly Actor[] = several('matcher', 3);
export const TRADERS: readonly Actor[] = several('trader', 3);
const REPORTERS: readonly Actor[] = several('reporter', 3);

/** The one that joins late. */
export const LATECOMER: Actor = REPORTERS[2] as Actor;
/** Those that are started at first. */
export const FIRST: readonly Actor[] = [BEACON, ...MATCHERS, ...TRADERS, ...REPORTERS.slice(0, 2)];

export const CAST: readonly Actor[] = [...FIRST, LATECOMER];

/** Whether everything that an actor looks for is there, among so many processes. */
export function isSettled({ role }: Actor, topology: Topology, processes: number): boolean {
  const { peers, group, producers } = topology;
  if (peers.length < processes - 1) return false;
  if (role === 'beacon') return true;
  if (role === 'reporter') return producers === MATCHERS.length;
  return group?.leader !== undefined && group.voters === MATCHERS.length;
}
