import type { DiscoveryOptions, PeerInfo } from '@mosaik/discovery';
import { createScope, type GroupId, type PeerId, type Scope } from '@mosaik/primitives';
import type { Host, World } from '@mosaik/testing';
import type { Bond, BondEnd, BondedGroup, GroupBonds } from '../../src/bonds/bond.ts';
import { MESSAGE_HEAD_BYTES, writeMessageHead } from '../../src/bonds/codec.ts';
import { BondHub } from '../../src/bonds/hub.ts';
import { groupIdOf, groupKey } from '../../src/bonds/key.ts';
import type { BondOptions } from '../../src/bonds/options.ts';
import { proofKeyOf } from '../../src/bonds/proof.ts';
import { type Base, startBase } from '../support/world.ts';

/** A node with bonds, and groups whose messages are kept. */
export interface Node extends Base {
  readonly hub: BondHub;
  readonly scope: Scope;
  readonly peer: PeerId;
  join(text: string, options?: JoinOptions): Member;
  close(): Promise<void>;
}

export interface JoinOptions {
  readonly acceptIf?: (peer: PeerInfo) => boolean;
  /** Where the group's key differs from what its id says: an impostor. */
  readonly proofKey?: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const TERMS = { founders: 1, machineSignature: 'test/1', syncSignature: 'log/1', ticketRules: '' };

export function idOf(text: string): GroupId {
  return groupIdOf(groupKey(text), TERMS);
}

/** A member that keeps what it hears. */
export class Member implements BondedGroup {
  readonly id: GroupId;
  readonly proofKey: Uint8Array;
  readonly isSelective: boolean;
  readonly acceptIf: (peer: PeerInfo) => boolean;
  readonly received: { readonly from: PeerId; readonly text: string }[] = [];
  readonly ends: BondEnd[] = [];
  readonly refusals: { readonly peer: PeerId; readonly code: number }[] = [];
  readonly silences: PeerId[] = [];
  readonly heard: Map<PeerId, string> = new Map();
  readonly handle: GroupBonds;
  readonly #advertised: Disposable;
  #status = '';
  made = 0;

  constructor(hub: BondHub, base: Base, text: string, options: JoinOptions) {
    this.id = idOf(text);
    this.proofKey = options.proofKey ?? proofKeyOf(groupKey(text));
    this.isSelective = options.acceptIf !== undefined;
    this.acceptIf = options.acceptIf ?? (() => true);
    this.handle = hub.join(this);
    this.#advertised = base.discovery.advertise({ kind: 'group', id: this.id });
  }

  status(): Uint8Array {
    return encoder.encode(this.#status);
  }

  tell(text: string): void {
    this.#status = text;
    this.handle.statusChanged();
  }

  onBonded(bond: Bond): void {
    this.made++;
    this.heard.set(bond.peer, decoder.decode(bond.status));
  }

  onEnded(_: Bond, end: BondEnd): void {
    this.ends.push(end);
  }

  onStatus(bond: Bond): void {
    this.heard.set(bond.peer, decoder.decode(bond.status));
  }

  onMessage(bond: Bond, payload: Uint8Array): void {
    this.received.push({ from: bond.peer, text: decoder.decode(payload) });
  }

  onSilent(bond: Bond): void {
    this.silences.push(bond.peer);
  }

  onFault(error: Error): void {
    throw error;
  }

  onRefused(peer: PeerId, code: number): void {
    this.refusals.push({ peer, code });
  }

  say(peer: PeerId, text: string, { bulk = false }: { bulk?: boolean } = {}): boolean {
    const payload = encoder.encode(text);
    const frame = new Uint8Array(MESSAGE_HEAD_BYTES + payload.length);
    writeMessageHead(frame, this.handle.channel);
    frame.set(payload, MESSAGE_HEAD_BYTES);
    const bond = this.handle.bonds.get(peer);
    return bond !== undefined && (bulk ? bond.sendBulk(frame) : bond.send(frame));
  }

  leave(): void {
    this.#advertised[Symbol.dispose]();
    this.handle.leave('leaving');
  }
}

export interface NodeOptions extends BondOptions {
  /** What discovery is given besides. */
  readonly discovery?: (host: Host) => Partial<DiscoveryOptions>;
}

/** Starts a node with bonds on a host. */
export async function startNode(
  world: World,
  name: string,
  bootstrap: readonly string[] = [],
  { discovery: overrides, ...options }: NodeOptions = {},
): Promise<Node> {
  const host = world.hosts.find((known) => known.name === name) ?? world.host(name);
  const base = await startBase(host, bootstrap, overrides?.(host));
  const { transport, discovery } = base;
  const scope = createScope({
    runtime: transport.runtime,
    name: 'groups',
    onError: (error) => {
      throw error;
    },
  });
  const hub = new BondHub({ scope, transport, discovery, options });
  hub.start();
  return {
    ...base,
    hub,
    scope,
    peer: transport.local.peerId,
    join: (text, join = {}) => new Member(hub, base, text, join),
    close: async () => {
      hub.close('closing');
      await scope.close();
      await discovery.close();
      await transport.close();
    },
  };
}

/** Starts nodes, each told of the first. */
export async function startNodes(world: World, count: number, options: NodeOptions = {}): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let index = 0; index < count; index++)
    nodes.push(await startNode(world, `n${index}`, index === 0 ? [] : ['sim://n0'], options));
  return nodes;
}

/** Whether each of the members has exactly one bond with each of the others. */
export function isFullMesh(nodes: readonly Node[], members: readonly Member[]): boolean {
  return members.every(({ handle }, index) => {
    const others = nodes.filter((_, other) => other !== index);
    return handle.bonds.size === others.length && others.every(({ peer }) => handle.bonds.has(peer));
  });
}
