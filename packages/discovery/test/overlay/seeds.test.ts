import {
  createScope,
  createWatch,
  type PeerId,
  type Runtime,
  type Scope,
  systemRuntime,
} from '@mosaik/primitives';
import { type Address, type Connection, PeerUnreachableError, type Transport } from '@mosaik/transport';
import { afterEach, describe, expect, it } from 'vitest';
import { Seeds } from '../../src/overlay/seeds.ts';
import { peerId } from '../support/entries.ts';

const SELF = peerId('self');

/** As much of a transport as seeds use: who answers where is written down. */
class Room {
  readonly dialled: Address[] = [];
  readonly answers = new Map<Address, PeerId>();
  readonly connections = createWatch<ReadonlyMap<PeerId, Connection>>(new Map());
  readonly timers: { readonly delayMs: number; readonly fire: () => void }[] = [];
  readonly scope: Scope;
  readonly #own: readonly Address[];

  constructor(own: readonly Address[] = []) {
    this.#own = own;
    const runtime: Runtime = {
      ...systemRuntime,
      setTimer: (delayMs, fire) => {
        const timer = { delayMs, fire };
        this.timers.push(timer);
        return { cancel: () => void this.timers.splice(this.timers.indexOf(timer), 1) };
      },
    };
    this.scope = createScope({ runtime, name: 'test', onError: () => {} });
  }

  seeds(addresses: readonly Address[]): Seeds {
    const transport = {
      local: { peerId: SELF, addresses: createWatch(this.#own) },
      connections: this.connections,
      connect: async (address: Address) => {
        this.dialled.push(address);
        const peer = this.answers.get(address);
        if (peer === undefined) throw new PeerUnreachableError(address, [address]);
        this.connections.set(new Map([[peer, {} as Connection]]));
        return peer;
      },
    };
    return new Seeds({
      scope: this.scope,
      transport: transport as unknown as Transport,
      bootstrap: addresses,
      onReached: () => {},
    });
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => systemRuntime.setTimer(1, resolve));
}

let room = new Room();
afterEach(() => room.scope.close());

describe('the own address among the bootstrap addresses is left out, and no other that looks like it:', () => {
  const id = '/p2p/12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo';
  const cases: [own: Address, given: Address, isAsked: boolean][] = [
    ['sim://n8', 'sim://n8', false],
    ['sim://n89', 'sim://n8', true],
    ['sim://n8', 'sim://n89', true],
    [`/ip4/10.0.0.1/tcp/4000${id}`, '/ip4/10.0.0.1/tcp/4000', false],
    [`/ip4/10.0.0.1/tcp/4000${id}`, `/ip4/10.0.0.1/tcp/4000${id}`, false],
    [`/ip4/10.0.0.1/tcp/40001${id}`, '/ip4/10.0.0.1/tcp/4000', true],
    [`/ip4/10.0.0.1/tcp/4000${id}`, '/ip4/10.0.0.1/tcp/40001', true],
    [`/ip4/10.0.0.11/tcp/4000${id}`, '/ip4/10.0.0.1/tcp/4000', true],
    [`/ip4/10.0.0.1/tcp/4000${id}`, '/ip4/10.0.0.2/tcp/4000', true],
  ];

  it.each(cases)('at %s, told %s, asked: %s', async (own, given, isAsked) => {
    room = new Room([own]);
    room.seeds([given]).poke();
    await settled();
    expect(room.dialled).toEqual(isAsked ? [given] : []);
  });
});

describe('while nobody is connected', () => {
  it('all addresses are asked again and again, less and less often, until somebody answers', async () => {
    room = new Room();
    const seeds = room.seeds(['sim://a', 'sim://b']);
    seeds.poke();
    await settled();
    expect(room.dialled).toEqual(['sim://a', 'sim://b']);
    const delays: number[] = [];
    for (let round = 0; round < 12; round++) {
      const pause = room.timers.pop();
      delays.push(pause?.delayMs ?? Number.NaN);
      pause?.fire();
      await settled();
    }
    expect(room.dialled).toHaveLength(26);
    expect(Math.max(...delays)).toBeLessThanOrEqual(5_500);
    expect(Math.max(...delays.slice(6))).toBeGreaterThan(Math.max(...delays.slice(0, 2)));

    room.answers.set('sim://b', peerId('b'));
    room.timers.pop()?.fire();
    await settled();
    expect(room.dialled).toHaveLength(28);
    seeds.poke();
    await settled();
    expect(room.dialled).toHaveLength(28);
  });

  it('they are not asked twice at once', async () => {
    room = new Room();
    const seeds = room.seeds(['sim://a']);
    for (let poke = 0; poke < 5; poke++) seeds.poke();
    await settled();
    expect(room.dialled).toEqual(['sim://a']);
  });
});

describe('an address behind which nobody known is', () => {
  it('is asked in turns: the other half of a partition may be there', async () => {
    room = new Room();
    room.answers.set('sim://known', peerId('known'));
    const seeds = room.seeds(['sim://known', 'sim://a', 'sim://b']);
    seeds.poke();
    await settled();
    room.dialled.length = 0;
    for (let round = 0; round < 4; round++) {
      seeds.retryUnknown((peer) => peer === peerId('known'));
      await settled();
    }
    expect(room.dialled.toSorted()).toEqual(['sim://a', 'sim://a', 'sim://b', 'sim://b']);
    room.dialled.length = 0;
    seeds.retryUnknown(() => false);
    seeds.retryUnknown(() => false);
    seeds.retryUnknown(() => false);
    await settled();
    expect(room.dialled.toSorted()).toEqual(['sim://a', 'sim://b', 'sim://known']);
  });
});
