import { resolve } from 'node:path';
import {
  type GroupId,
  GroupKey,
  groupKey,
  idToBytes,
  isUniqueId,
  keyValue,
  type MachineInstance,
  type MapAnswer,
  type MapCommand,
  type MapQuery,
  type MapResult,
  type Network,
  type PeerInfo,
  type StateMachine,
} from 'mosaik';
import type { Context } from '../context.ts';
import { usage } from '../failure.ts';
import { readSecret } from '../settings/secret.ts';

/** Which map, and the secret of who may use it. */
export interface MapOptions {
  readonly map: string;
  /** A file with the secret that members and users share. */
  readonly groupKey?: string;
}

type MapMachine = StateMachine<MapCommand<unknown>, MapResult<unknown>, MapQuery, MapAnswer<unknown>>;
type MapInstance = MachineInstance<MapCommand<unknown>, MapResult<unknown>, MapQuery, MapAnswer<unknown>>;

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const ADVERTISED = /^kv\/(?<map>[A-Za-z0-9._-]{1,64}) founders=(?<founders>\d{1,4})$/;

/** @throws {Failure} when it is no name. */
export function mapName(text: string): string {
  if (NAME.test(text)) return text;
  throw usage(`"${text}" is no name of a map`, 'letters, digits, ".", "_" and "-", up to 64 of them');
}

/** What a member is shown as in the catalog: those who come to write must say the same founders. */
export function advertisedName(map: string, founders: number): string {
  return `kv/${map} founders=${founders}`;
}

/** The key of the map's group: of a file, or derived from names that everybody in the network knows. */
export function keyOf({ settings, world, console }: Context, { map, groupKey: file }: MapOptions): GroupKey {
  const path = file ?? world.env['MOSAIK_GROUP_KEY_FILE'];
  if (path === undefined || path === '') return groupKey(`mosaik kv ${settings.network} ${map}`);
  const secret = readSecret(resolve(world.folder, path), {
    env: world.env,
    warn: (text) => console.warn(text),
  });
  if (isUniqueId(secret)) return new GroupKey(idToBytes(secret));
  throw usage(`${path} holds no key`, 'make one with: mosaik keygen FILE');
}

/** Who serves a map, as far as the catalog knows. */
export interface Server {
  readonly peer: PeerInfo;
  readonly group: GroupId;
  readonly founders: number;
}

/** The nearest first. */
export function serversOf(network: Network, map: string): Server[] {
  const servers = [...network.discovery.catalog].flatMap((peer) =>
    peer.groups.flatMap((group) => {
      const named = ADVERTISED.exec(peer.names[group] ?? '')?.groups;
      return named?.['map'] === map ? [{ peer, group, founders: Number(named['founders']) }] : [];
    }),
  );
  return servers.sort((a, b) => (a.peer.rttMs ?? Infinity) - (b.peer.rttMs ?? Infinity) || 0);
}

/** Told of what happens to a map at this member. */
export interface MapListener {
  applied(command: MapCommand<unknown>, result: MapResult<unknown>, index: number): void;
  /** The state was replaced by a newer one as a whole. */
  restored(state: MapInstance): void;
}

/** The machine of a member that looks on: it never votes and never leads, so that it may come and go. */
export function onlookingMap(listener?: MapListener): MapMachine {
  const map = keyValue<unknown>();
  const create = (): MapInstance =>
    listener === undefined ? map.create() : observed(map.create(), listener);
  return { ...map, leadership: 'observer', create };
}

function observed(inner: MapInstance, listener: MapListener): MapInstance {
  return {
    apply(command, context) {
      const result = inner.apply(command, context);
      listener.applied(command, result, context.index);
      return result;
    },
    query: (query, context) => inner.query(query, context),
    snapshot: () => inner.snapshot(),
    async restore(chunks) {
      await inner.restore(chunks);
      listener.restored(inner);
    },
  };
}
