import {
  createScope,
  createWatch,
  type PeerId,
  type Scope,
  uniqueId,
  type WatchSource,
} from '@mosaik/primitives';
import { afterEach, describe, expect, it } from 'vitest';
import { Keeper } from '../../src/adapter/keeper.ts';
import { type ManualRuntime, manualRuntime } from '../kit/manual-runtime.ts';

const [SMALL, LARGE] = [uniqueId<PeerId>('a'), uniqueId<PeerId>('b')].sort() as [PeerId, PeerId];

interface Stage {
  readonly runtime: ManualRuntime;
  readonly scope: Scope;
  readonly live: WatchSource<ReadonlyMap<PeerId, unknown>>;
  readonly keeper: Keeper;
  /** When it was dialled. */
  readonly dials: number[];
  readonly failed: { attempt: number; message: string }[];
  readonly peer: PeerId;
  connect(): void;
  lose(): void;
}

let scope: Scope | undefined;
afterEach(() => scope?.close());

/** A keeper with a peer that answers as `dial` does. */
function stage(self: PeerId, dial: (stage: Stage) => void | Promise<void>, random = 0.999): Stage {
  const runtime = manualRuntime(() => random);
  const peer = self === SMALL ? LARGE : SMALL;
  const errors: Error[] = [];
  scope = createScope({ runtime, name: 'test', onError: (error) => errors.push(error) });
  const live = createWatch<ReadonlyMap<PeerId, unknown>>(new Map());
  const dials: number[] = [];
  const failed: { attempt: number; message: string }[] = [];
  const keeper = new Keeper({
    scope,
    runtime,
    self,
    connections: live,
    dialTimeoutMs: 10_000,
    dial: async () => {
      dials.push(runtime.now());
      await dial(made);
    },
    onFailed: (_, attempt, error) => failed.push({ attempt, message: error.message }),
  });
  const made: Stage = {
    runtime,
    scope,
    live,
    keeper,
    dials,
    failed,
    peer,
    connect: () => live.set(new Map([[peer, true]])),
    lose: () => live.set(new Map()),
  };
  return made;
}

const refuse = (): void => {
  throw new Error('refused');
};
const connect = ({ connect }: Stage): void => connect();

describe('a keeper', () => {
  it('dials a peer that is not connected, and once only', async () => {
    const { keeper, peer, runtime, dials } = stage(SMALL, connect);
    keeper.keep(peer);
    await runtime.advance(600_000);
    expect(dials).toEqual([0]);
  });

  it('does not dial a peer that is connected', async () => {
    const { keeper, peer, runtime, dials, connect, lose } = stage(SMALL, (made) => made.connect());
    connect();
    keeper.keep(peer);
    await runtime.advance(60_000);
    expect(dials).toEqual([]);
    lose();
    await runtime.advance(1_000);
    expect(dials).toHaveLength(1);
  });

  it('dials for ever, ever later, up to five seconds apart', async () => {
    const { keeper, peer, runtime, dials, failed } = stage(SMALL, refuse, 1);
    keeper.keep(peer);
    await runtime.advance(3_600_000);
    const gaps = dials.slice(1).map((at, index) => at - (dials[index] as number));
    expect(gaps.slice(0, 7)).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    expect(gaps.length).toBeGreaterThan(700);
    expect(failed[699]).toEqual({ attempt: 700, message: 'refused' });
  });

  it('draws each delay, so that many do not come back at once', async () => {
    const { keeper, peer, runtime, dials } = stage(SMALL, refuse, 0.25);
    keeper.keep(peer);
    await runtime.advance(1_000);
    expect(dials.slice(0, 4)).toEqual([0, 50, 150, 350]);
  });

  it('gives a dial that hangs up after the time it has', async () => {
    const { keeper, peer, runtime, failed } = stage(SMALL, () => new Promise<void>(() => {}));
    keeper.keep(peer);
    await runtime.advance(9_999);
    expect(failed).toEqual([]);
    await runtime.advance(1);
    expect(failed).toEqual([{ attempt: 1, message: 'dialling: no answer within 10000 ms' }]);
  });

  it('dials again soon when a connection that stood is lost, with the patience of a first attempt', async () => {
    let isUp = true;
    const { keeper, peer, runtime, dials, lose, failed } = stage(SMALL, (made) =>
      isUp ? made.connect() : refuse(),
    );
    keeper.keep(peer);
    await runtime.advance(10_000);
    for (let round = 0; round < 5; round++) {
      dials.length = 0;
      isUp = false;
      lose();
      const lostAtMs = runtime.now();
      await runtime.advance(200);
      expect(dials[0]).toBeLessThanOrEqual(lostAtMs + 200);
      isUp = true;
      await runtime.advance(10_000);
      expect(failed.splice(0).map(({ attempt }) => attempt)).toEqual([1]);
    }
  });

  it('does not dial in a tight loop a peer that drops each connection at once', async () => {
    const { keeper, peer, runtime, dials } = stage(SMALL, (made) => {
      made.connect();
      made.lose();
    });
    keeper.keep(peer);
    await runtime.advance(60_000);
    expect(dials.length).toBeGreaterThan(10);
    expect(dials.length).toBeLessThan(20);
  });

  it('nor one that drops it a moment later', async () => {
    const made = stage(SMALL, ({ connect, lose, runtime }) => {
      connect();
      runtime.setTimer(100, lose);
    });
    made.keeper.keep(made.peer);
    await made.runtime.advance(60_000);
    expect(made.dials.length).toBeLessThan(20);
  });

  it('with the larger id, lets the other side dial first', async () => {
    const { keeper, peer, runtime, dials, connect } = stage(LARGE, () => {});
    keeper.keep(peer);
    await runtime.advance(400);
    connect();
    await runtime.advance(60_000);
    expect(dials).toEqual([]);
  });

  it('with the larger id, does not wait long for that', async () => {
    const { keeper, peer, runtime, dials } = stage(LARGE, connect);
    keeper.keep(peer);
    await runtime.advance(60_000);
    expect(dials).toEqual([500]);
  });

  it('with the larger id, is as courteous after each connection that stood', async () => {
    const { keeper, peer, runtime, dials, connect, lose } = stage(LARGE, (made) => made.connect());
    connect();
    keeper.keep(peer);
    for (let round = 0; round < 3; round++) {
      await runtime.advance(10_000);
      lose();
      // Up to 200 ms that all wait, and then 500.
      await runtime.advance(500);
      expect(dials).toEqual([]);
      connect();
    }
  });

  it('stops when disposed, whatever it is doing', async () => {
    for (const waitMs of [0, 100, 5_000]) {
      const { keeper, peer, runtime, dials, scope } = stage(LARGE, refuse);
      const kept = keeper.keep(peer);
      await runtime.advance(waitMs);
      kept[Symbol.dispose]();
      const before = dials.length;
      await runtime.advance(60_000);
      expect(dials).toHaveLength(before);
      expect([runtime.pendingTimers, scope.running]).toEqual([0, []]);
    }
  });

  it('keeps a peer that is wanted twice until both are disposed', async () => {
    const { keeper, peer, runtime, dials, lose } = stage(SMALL, connect);
    const [first, second] = [keeper.keep(peer), keeper.keep(peer)];
    await runtime.advance(10_000);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    lose();
    await runtime.advance(10_000);
    expect(dials).toHaveLength(2);
    second[Symbol.dispose]();
    lose();
    await runtime.advance(60_000);
    expect(dials).toHaveLength(2);
  });

  it('ends with its scope', async () => {
    const { keeper, peer, runtime, dials, scope } = stage(SMALL, refuse);
    keeper.keep(peer);
    await runtime.advance(1_000);
    await runtime.run(scope.close());
    const before = dials.length;
    await runtime.advance(60_000);
    expect(dials).toHaveLength(before);
  });
});
