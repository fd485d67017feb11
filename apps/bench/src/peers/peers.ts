import { findEtcd } from './etcd.ts';
import { findNats } from './nats.ts';
import type { Program } from './program.ts';

/** The systems that we are compared with; undefined where the machine has none. */
export interface Peers {
  readonly nats: Program | undefined;
  readonly etcd: Program | undefined;
}

export function findPeers(): Peers {
  return { nats: findNats(), etcd: findEtcd() };
}

/** How to get what is missing, a line each. */
export function adviceFor({ nats, etcd }: Peers): readonly string[] {
  return [
    ...(nats === undefined ? ['nats-server was not found (Debian: apt-get install nats-server)'] : []),
    ...(etcd === undefined ? ['etcd was not found (Debian: apt-get install etcd-server)'] : []),
  ].map((line) => `${line}: measuring without`);
}

/** Names and versions of those that are there. */
export function describePeers({ nats, etcd }: Peers): string {
  const named = [
    ...(nats === undefined ? [] : [`NATS ${nats.version}`]),
    ...(etcd === undefined ? [] : [`etcd ${etcd.version}`]),
  ];
  return named.length === 0 ? 'no peers' : named.join(', ');
}
