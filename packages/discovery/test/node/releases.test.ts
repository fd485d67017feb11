import { createWatch, type PeerId } from '@mosaik/primitives';
import type { Connection } from '@mosaik/transport';
import { expect, it } from 'vitest';
import { Releases } from '../../src/node/releases.ts';
import { peerId } from '../support/entries.ts';

const PEER = peerId('released');

function connection(openedAtMs: number): Connection {
  return { peer: PEER, direction: 'outbound', address: 'sim://there', openedAtMs };
}

it('a connection is released until it ends, and another one to the same peer is not', () => {
  const connections = createWatch<ReadonlyMap<PeerId, Connection>>(new Map());
  const releases = new Releases(connections);
  releases.add(PEER);
  expect([releases.has(PEER), releases.delete(PEER)]).toEqual([false, false]);

  connections.set(new Map([[PEER, connection(1)]]));
  const before = releases.changes;
  releases.add(PEER);
  expect(releases.has(PEER)).toBe(true);
  expect(releases.changes).toBeGreaterThan(before);

  // They dialled each other at once, and the other of the two is left.
  connections.set(new Map([[PEER, connection(2)]]));
  expect(releases.has(PEER)).toBe(false);

  releases.add(PEER);
  connections.set(new Map());
  expect([releases.delete(PEER), releases.delete(PEER)]).toEqual([true, false]);
});
