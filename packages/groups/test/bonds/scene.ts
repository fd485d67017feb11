import type { PeerId } from '@mosaik/primitives';
import type { World } from '@mosaik/testing';
import type { Link, LinkEnd, Transport } from '@mosaik/transport';
import { expect } from 'vitest';
import { type BondMessage, decodeBondMessage, encodeBondMessage } from '../../src/bonds/codec.ts';
import { groupKey } from '../../src/bonds/key.ts';
import { type BondRole, proofKeyOf, proofOf } from '../../src/bonds/proof.ts';
import { bondProtocol } from '../../src/bonds/protocol.ts';
import { inWorld } from '../support/world.ts';
import { idOf, isFullMesh, type Member, type Node, startNodes } from './members.ts';

/** A peer with links of its own making, among two honest members that must not notice. */
export interface Scene {
  readonly world: World;
  readonly nodes: readonly Node[];
  readonly members: readonly Member[];
  readonly victim: PeerId;
  readonly transport: Transport;
  readonly link: Link<Uint8Array>;
  readonly theirs: { readonly nonce: Uint8Array; readonly token: Uint8Array };
  readonly nonce: Uint8Array;
}

type Attack = (scene: Scene) => Promise<void>;

export const NONCE: Uint8Array = new Uint8Array(32).fill(7);
export const TOKEN: Uint8Array = new Uint8Array(16).fill(7);
export const HELLO: Uint8Array = encodeBondMessage({
  kind: 'hello',
  nonce: NONCE,
  token: TOKEN,
  instance: TOKEN,
});

export async function hear(link: Link<Uint8Array>): Promise<BondMessage> {
  return decodeBondMessage((await link.receive()) as Uint8Array);
}

/** A peer that has opened a link to the first of two members. */
export async function approach(visit: Attack): Promise<void> {
  await inWorld({ seed: 1 }, async (world) => {
    const nodes = await startNodes(world, 2);
    const members = nodes.map((node) => node.join('g'));
    await world.until(() => isFullMesh(nodes, members));
    const transport = world.host('attacker').transport();
    const victim = await transport.connect('sim://n0');
    const link = await transport.open(victim, bondProtocol);
    const theirs = (await hear(link)) as BondMessage & { kind: 'hello' };
    await visit({ world, nodes, members, victim, transport, link, theirs, nonce: NONCE });
  });
}

/** The same, where the two members must not notice. */
export async function scene(attack: Attack): Promise<void> {
  await approach(async (scene) => {
    const { nodes, members } = scene;
    const made = members.map((member) => member.made);
    await attack(scene);
    expect(isFullMesh(nodes, members)).toBe(true);
    expect(members.map((member) => member.made)).toEqual(made);
    expect(members[0]?.received).toEqual([]);
  });
}

/** The proof that an attacker with this key can make. */
export function proofFor({ transport, victim, theirs }: Scene, role: BondRole, key = 'g'): Uint8Array {
  const greeting = {
    dialler: transport.local.peerId,
    acceptor: victim,
    diallerNonce: NONCE,
    acceptorNonce: theirs.nonce,
  };
  return proofOf(proofKeyOf(groupKey(key)), idOf('g'), greeting, role);
}

export function joinWith(proof: Uint8Array): Uint8Array {
  return encodeBondMessage({ kind: 'join', channel: 9, group: idOf('g'), proof, status: new Uint8Array(0) });
}

/** How often the first of the nodes has refused something with a code. */
export function counted({ nodes }: Pick<Scene, 'nodes'>, code: number): number {
  const points = nodes[0]?.transport.metrics.snapshot()['mosaik.groups.bonds.refused'] ?? [];
  return points.find(({ labels }) => labels['code'] === code)?.value ?? 0;
}

/** Waits until the victim has ended the attacker's link, and counted it. */
export async function expectClosed(scene: Scene, code: number): Promise<void> {
  const end: LinkEnd = await scene.link.ended;
  expect(end).toMatchObject({ kind: 'closed', by: 'remote', code });
  expect(counted(scene, code)).toBe(1);
}
