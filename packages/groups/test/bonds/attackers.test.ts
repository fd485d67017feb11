import { deriveId, idToBytes, type PeerId } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { type BondMessage, decodeBondMessage, encodeBondMessage } from '../../src/bonds/codec.ts';
import { bondProtocol, laneProtocol } from '../../src/bonds/protocol.ts';
import { GroupCode } from '../../src/codes.ts';
import { inWorld } from '../support/world.ts';
import { idOf, isFullMesh, type Node, startNode, startNodes } from './members.ts';
import {
  counted,
  expectClosed,
  HELLO,
  hear,
  joinWith,
  NONCE,
  proofFor,
  type Scene,
  scene,
  TOKEN,
} from './scene.ts';

describe('a peer without the key', () => {
  it('that has the wrong one is refused', () =>
    scene(async (scene) => {
      await scene.link.send(HELLO);
      await scene.link.send(joinWith(proofFor(scene, 'dialler', 'another')));
      await expectClosed(scene, GroupCode.WrongProof);
    }));

  it('that sends the proof of the other side back is refused', () =>
    scene(async (scene) => {
      await scene.link.send(HELLO);
      await scene.link.send(joinWith(proofFor(scene, 'acceptor')));
      await expectClosed(scene, GroupCode.WrongProof);
    }));

  it('that shows a proof from another link is refused', () =>
    scene(async (scene) => {
      const proof = proofFor(scene, 'dialler');
      const second = await scene.transport.open(scene.victim, bondProtocol);
      await hear(second);
      await second.send(HELLO);
      await second.send(joinWith(proof));
      expect(await second.ended).toMatchObject({ by: 'remote', code: GroupCode.WrongProof });
      scene.link.abort();
    }));

  it('is told neither a proof nor the entry of the victim before it has shown its own', () =>
    scene(async (scene) => {
      await scene.link.send(HELLO);
      scene.nodes[0]?.discovery.addTags('new');
      const heard = new Set<string>();
      const reading = (async () => {
        for await (const bytes of scene.link) heard.add(decodeBondMessage(bytes).kind);
      })();
      await scene.world.sleep(2_000);
      scene.link.abort();
      await reading.catch(() => {});
      expect([...heard]).toEqual(['beat']);
    }));

  it('gets nothing through to the group', () =>
    scene(async (scene) => {
      await scene.link.send(HELLO);
      for (let channel = 0; channel < 10; channel++) {
        await scene.link.send(encodeBondMessage({ kind: 'message', channel, payload: TOKEN }));
        await scene.link.send(encodeBondMessage({ kind: 'status', channel, status: TOKEN }));
      }
      await scene.link.send(encodeBondMessage({ kind: 'leave', group: idOf('g') }));
      await scene.link.send(
        encodeBondMessage({ kind: 'refuse', group: idOf('g'), code: 1, reason: 'go away' }),
      );
      const lane = await scene.transport.open(scene.victim, laneProtocol);
      await lane.send(scene.theirs.token);
      await lane.send(encodeBondMessage({ kind: 'message', channel: 1, payload: TOKEN }));
      await scene.world.sleep(1_000);
      scene.link.abort();
    }));
});

describe('an entry of discovery', () => {
  /** A node that nobody has heard of, and what it says of itself. */
  async function unheard({ world }: Scene): Promise<{ peer: PeerId; signed: Uint8Array }> {
    const rest = world.hosts.filter(({ name }) => name !== 'unheard');
    const host = world.host('unheard');
    world.faults.partition([host], rest);
    const { discovery, peer } = await startNode(world, 'unheard');
    return { peer, signed: discovery.signedMe };
  }

  const knows = ({ nodes }: Scene, peer: PeerId): boolean =>
    nodes[0]?.discovery.catalog.get(peer) !== undefined;

  it('is told after the proof, and taken from whoever has proven to be of the group', () =>
    scene(async (scene) => {
      const { peer, signed } = await unheard(scene);
      // What the victim says of itself has not changed for a while: it is told because of the proof.
      await scene.world.sleep(3_000);
      await scene.link.send(HELLO);
      await scene.link.send(joinWith(proofFor(scene, 'dialler')));
      const heard: BondMessage[] = [];
      const sentAtMs = scene.world.now;
      while (heard.at(-1)?.kind !== 'entry') heard.push(await hear(scene.link));
      expect(scene.world.now - sentAtMs).toBeLessThan(100);
      expect(heard.map(({ kind }) => kind).filter((kind) => kind !== 'beat')).toEqual(['join', 'entry']);
      expect(heard.at(-1)).toEqual({ kind: 'entry', signed: scene.nodes[0]?.discovery.signedMe });
      await scene.link.send(encodeBondMessage({ kind: 'entry', signed }));
      await scene.world.until(() => knows(scene, peer), { withinMs: 1_000 });
      scene.link.abort();
    }));

  it('of a peer that has proven nothing is not looked at', () =>
    scene(async (scene) => {
      const { peer, signed } = await unheard(scene);
      await scene.link.send(HELLO);
      await scene.link.send(encodeBondMessage({ kind: 'entry', signed }));
      await scene.link.send(encodeBondMessage({ kind: 'entry', signed: TOKEN }));
      await scene.world.sleep(1_000);
      expect(knows(scene, peer)).toBe(false);
      expect(scene.link.end).toBe(undefined);
      scene.link.abort();
    }));

  it.each([
    [
      'forged',
      (signed: Uint8Array) => signed.map((byte, at) => (at === signed.length - 1 ? byte ^ 1 : byte)),
    ],
    ['malformed', (signed: Uint8Array) => signed.subarray(1)],
  ])('that is %s ends the bond', (reason, spoil) =>
    scene(async (scene) => {
      const { peer, signed } = await unheard(scene);
      await scene.link.send(HELLO);
      await scene.link.send(joinWith(proofFor(scene, 'dialler')));
      await scene.link.send(encodeBondMessage({ kind: 'entry', signed: spoil(signed) }));
      await expectClosed(scene, GroupCode.Malformed);
      expect(await scene.link.ended).toMatchObject({ reason: `an entry that is ${reason}` });
      expect(knows(scene, peer)).toBe(false);
    }),
  );
});

describe('a handshake', () => {
  it('over a group that is not here is refused by name', () =>
    scene(async (scene) => {
      await scene.link.send(HELLO);
      const group = deriveId(idOf('g'), 'another') as ReturnType<typeof idOf>;
      const join: BondMessage = { kind: 'join', channel: 1, group, proof: NONCE, status: TOKEN };
      await scene.link.send(encodeBondMessage(join));
      let heard = await hear(scene.link);
      while (heard.kind === 'beat') heard = await hear(scene.link);
      expect(heard).toMatchObject({ kind: 'refuse', group, code: GroupCode.GroupNotFound });
      expect(counted(scene, GroupCode.GroupNotFound)).toBe(1);
      scene.link.abort();
    }));

  it('over many groups that are not here ends the link', () =>
    scene(async (scene) => {
      await scene.link.send(HELLO);
      for (let index = 0; index < 100; index++) {
        const group = deriveId(idOf('g'), `${index}`) as ReturnType<typeof idOf>;
        const join: BondMessage = { kind: 'join', channel: 1, group, proof: NONCE, status: TOKEN };
        await scene.link.send(encodeBondMessage(join)).catch(() => {});
      }
      await expectClosed(scene, GroupCode.TooMany);
    }));

  it('that stalls before the hello is given up', () =>
    scene(async (scene) => {
      await expectClosed(scene, GroupCode.Timeout);
      expect(scene.world.now).toBeLessThan(8_000);
    }));

  it('that stalls after the hello is given up', () =>
    scene(async (scene) => {
      await scene.link.send(HELLO);
      await expectClosed(scene, GroupCode.Timeout);
    }));

  it('that only beats is given up', () =>
    scene(async (scene) => {
      await scene.link.send(HELLO);
      const lane = await scene.transport.open(scene.victim, laneProtocol);
      await lane.send(scene.theirs.token);
      const beat = encodeBondMessage({ kind: 'beat' });
      while (scene.link.end === undefined) {
        await scene.link.send(beat).catch(() => {});
        await scene.world.sleep(200);
      }
      await expectClosed(scene, GroupCode.Timeout);
    }));

  it('with a lane of a wrong token, or none, gets no lane', () =>
    scene(async (scene) => {
      const wrong = await scene.transport.open(scene.victim, laneProtocol);
      await wrong.send(TOKEN);
      expect(await wrong.ended).toMatchObject({ by: 'remote', code: GroupCode.WrongProof });
      const silent = await scene.transport.open(scene.victim, laneProtocol);
      expect(await silent.ended).toMatchObject({ by: 'remote', code: GroupCode.Timeout });
    }));

  it.each([
    ['nothing', new Uint8Array(0)],
    ['an unknown kind', Uint8Array.of(99)],
    ['a short hello', HELLO.subarray(0, 20)],
    ['a join before the hello', joinWith(NONCE)],
    ['a beat before the hello', encodeBondMessage({ kind: 'beat' })],
  ])('that begins with %s is malformed', (_, bytes) =>
    scene(async (scene) => {
      await scene.link.send(bytes);
      await expectClosed(scene, GroupCode.Malformed);
    }),
  );

  it('with a second hello, or a long one, is malformed', () =>
    scene(async (scene) => {
      await scene.link.send(HELLO);
      await scene.link.send(HELLO);
      await expectClosed(scene, GroupCode.Malformed);
    }));

  it('of more peers than are allowed is refused', () =>
    inWorld({ seed: 2 }, async (world) => {
      const node = await startNode(world, 'n0', [], { maxHandshakes: 3 });
      node.join('g');
      const transport = world.host('attacker').transport();
      const victim = await transport.connect('sim://n0');
      const links: Link<Uint8Array>[] = [];
      for (let index = 0; index < 5; index++) links.push(await transport.open(victim, bondProtocol));
      await world.sleep(1_000);
      const codes = links.map(({ end }) => (end?.kind === 'closed' ? end.code : undefined));
      expect(codes).toEqual([undefined, undefined, undefined, GroupCode.TooMany, GroupCode.TooMany]);
      expect(counted({ nodes: [node] }, GroupCode.TooMany)).toBe(2);
    }));
});

describe('an impostor that has joined with the wrong key', () => {
  it('is bonded with nobody', () =>
    inWorld({ seed: 3 }, async (world) => {
      const nodes = await startNodes(world, 3);
      const honest = nodes.slice(0, 2).map((node) => node.join('g'));
      const proofKey = idToBytes(deriveId(idOf('g'), 'a guess'));
      const impostor = (nodes[2] as Node).join('g', { proofKey });
      await world.sleep(20_000);
      expect(isFullMesh(nodes.slice(0, 2), honest)).toBe(true);
      expect(impostor.handle.bonds.size).toBe(0);
      expect(honest.map((member) => member.made)).toEqual([1, 1]);
    }));
});
