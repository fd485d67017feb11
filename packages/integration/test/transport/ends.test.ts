import { type Runtime, sleep, systemRuntime } from '@mosaik/primitives';
import { createLibp2pTransport } from '@mosaik/transport/libp2p';
import { describe, expect, it } from 'vitest';
import { addressOf, LOOPBACK, type NodeProcess, startNode, startNodeProcess } from '../support/nodes.ts';
import { Echo, roundTrip } from '../support/protocols.ts';
import { nextEvent, record, until, within } from '../support/wait.ts';

const SILENCE_MS = 1_000;

/** A node here, a node in another process, and a link that has worked between them. */
async function setUp() {
  const stack = new AsyncDisposableStack();
  const here = stack.use(await startNode({ secretKey: 'ends, here', silenceMs: SILENCE_MS }));
  const there: NodeProcess = stack.use(
    await startNodeProcess({ secretKey: 'ends, there', silenceMs: SILENCE_MS }),
  );
  await here.connect(there.address);
  const link = await here.open(there.peerId, Echo);
  await roundTrip(link, 1);
  return { here, there, link, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('a peer in another process', () => {
  it('that is killed, is lost at once', async () => {
    await using stage = await setUp();
    const { here, there, link } = stage;
    const disconnected = nextEvent(here, 'disconnected', 1_000);
    there.signal('SIGKILL');
    expect((await within('the link ends', 1_000, link.ended)).kind).toBe('lost');
    expect(await disconnected).toMatchObject({ peer: there.peerId, reason: 'lost' });
    expect(here.connections.value.size).toBe(0);
  });

  it('that stands still, is silent once nothing was heard for the configured time', async () => {
    await using stage = await setUp();
    const { here, there, link } = stage;
    const disconnected = nextEvent(here, 'disconnected', 5_000);
    const stoppedAtMs = systemRuntime.now();
    there.signal('SIGSTOP');
    expect((await link.ended).kind).toBe('silent');
    const noticedAfterMs = systemRuntime.now() - stoppedAtMs;
    // The last beat is up to 0.275 of the limit old at the start, the look that notices as late; the rest is slack.
    expect(noticedAfterMs).toBeGreaterThan(0.7 * SILENCE_MS);
    expect(noticedAfterMs).toBeLessThan(1.75 * SILENCE_MS);
    expect(await disconnected).toMatchObject({ peer: there.peerId, reason: 'silent' });
  });

  it('that stands still for less than that, is not noticed', async () => {
    await using stage = await setUp();
    const { here, there, link } = stage;
    const events = record(here);
    const connection = here.connections.value.get(there.peerId);
    there.signal('SIGSTOP');
    await sleep(systemRuntime, SILENCE_MS / 2);
    there.signal('SIGCONT');
    await roundTrip(link, 2);
    const rttMs = here.rtt(there.peerId);
    await until('beats go on', 5_000, () => here.rtt(there.peerId) !== rttMs);
    expect([link.end, events]).toEqual([undefined, []]);
    expect(here.connections.value.get(there.peerId)).toBe(connection);
  });

  it('that closes, says so: links end with 503, the connection is closed', async () => {
    await using stage = await setUp();
    const { here, there, link } = stage;
    const disconnected = nextEvent(here, 'disconnected', 5_000);
    await there.call('close');
    expect(await link.ended).toEqual({
      kind: 'closed',
      by: 'remote',
      code: 503,
      reason: 'the node is closing',
    });
    expect(await disconnected).toMatchObject({ peer: there.peerId, reason: 'closed' });
  });

  it('that is disconnected, hears of it: links end with 503, the connection is closed at both sides', async () => {
    await using stage = await setUp();
    const { here, there, link } = stage;
    const disconnected = nextEvent(here, 'disconnected', 5_000);
    await here.disconnect(there.peerId);
    expect(link.end).toMatchObject({ kind: 'closed', by: 'local', code: 503 });
    expect(await disconnected).toMatchObject({ reason: 'closed' });
    await until(
      'the other side knows',
      5_000,
      async () => (await there.call<string[]>('peers')).length === 0,
    );
    expect(await there.call('events')).toMatchObject([
      { type: 'connected', direction: 'inbound' },
      { type: 'disconnected', reason: 'closed' },
    ]);
  });

  it('that stands still, does not hold up the close of this node for long', async () => {
    await using stage = await setUp();
    const { here, there, link } = stage;
    there.signal('SIGSTOP');
    await within('the close', 4_000, here.close());
    expect(link.end).toMatchObject({ kind: 'closed', by: 'local', code: 503 });
  });
});

it('a goodbye that has to wait for the end of a long turn gets through', async () => {
  // Turns of 20 ms, as on a busy machine: what follows a beat within one leaves at its end.
  const turnMs = 20;
  const busy: Runtime = {
    ...systemRuntime,
    now: () => Math.floor(systemRuntime.now() / turnMs) * turnMs,
    yieldTo: (callback) => void systemRuntime.setTimer(turnMs, callback),
  };
  const common = { network: 'integration', listen: [LOOPBACK] };
  await using a = await createLibp2pTransport({ ...common, secretKey: 'goodbye a', runtime: busy });
  await using b = await createLibp2pTransport({ ...common, secretKey: 'goodbye b' });
  for (let round = 0; round < 10; round++) {
    const disconnected = nextEvent(b, 'disconnected', 5_000);
    await a.disconnect(await a.connect(addressOf(b)));
    expect(await disconnected).toMatchObject({ peer: a.local.peerId, reason: 'closed' });
  }
});
