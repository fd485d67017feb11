import { DecodeError, encodeCbor, type PeerId } from '@mosaik/primitives';
import { CloseCode, type Link } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { DiscoveryCode } from '../../src/codes.ts';
import { SyncRefusedError } from '../../src/sync/errors.ts';
import type { Fingerprint } from '../../src/sync/fingerprints.ts';
import { FRAME_BYTES_MAX, SESSION_TIMEOUT_MS, STEP_TIMEOUT_MS, TURNS_MAX } from '../../src/sync/limits.ts';
import type { SentEntry, SyncMessage } from '../../src/sync/message.ts';
import { syncProtocol } from '../../src/sync/protocol.ts';
import { FIRST_BOUND, LAST_BOUND, type SyncRange } from '../../src/sync/range.ts';
import { hear, type Liar, type Meeting, meet, type Outcome, pause, step } from './support/liar.ts';
import { entryBytes, ModelCatalog, peer, version } from './support/model-catalog.ts';

const ALL = { from: FIRST_BOUND, to: LAST_BOUND } as const;
const SALT = [1, 2] as const;
const LIE: Fingerprint = [1, 2, 3, 4];

function open(range: SyncRange): SyncMessage {
  return { kind: 'open', salt: SALT, range };
}

function lie(count: number): SyncRange {
  return { kind: 'fingerprint', ...ALL, count, fingerprint: LIE };
}

function emptyList(): SyncRange {
  return { kind: 'list', ...ALL, items: [] };
}

/** Entries of peers that nobody has, ascending. */
function inventions(count: number): SentEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const item = { peer: peer(1_000_000 + index), version: version(0) };
    return { ...item, bytes: entryBytes(item) };
  }).sort((a, b) => (a.peer < b.peer ? -1 : 1));
}

/** Meets a liar, and finds the catalog as it was. */
async function refuse(meeting: Omit<Meeting, 'source'> & { source?: ModelCatalog }): Promise<Outcome> {
  const source = meeting.source ?? ModelCatalog.numbered(0, 1_000);
  const before = source.contents;
  const outcome = await meet({ ...meeting, source });
  expect(source.contents).toEqual(before);
  return outcome;
}

function expectRefusal({ error, liarsEnd }: Outcome, code: number): void {
  expect(error).toBeInstanceOf(SyncRefusedError);
  expect((error as SyncRefusedError).closeCode).toBe(code);
  expect(liarsEnd).toMatchObject({ kind: 'closed', by: 'remote', code });
}

describe('a sync peer that never comes to an end', () => {
  const echo =
    (count: number): Liar =>
    async (link) => {
      await link.send(open(lie(count)));
      while (true) {
        const heard = await hear(link);
        if (heard === undefined) return;
        const ranges = heard.ranges
          .filter(({ kind }) => kind === 'fingerprint')
          .map(({ from, to }) => ({ kind: 'fingerprint', from, to, count, fingerprint: LIE }) as const);
        await link.send(step({ ranges }));
      }
    };

  it('is refused after as many turns as any two catalogs need', async () => {
    const outcome = await refuse({ honest: 'responder', liar: echo(3) });
    expectRefusal(outcome, DiscoveryCode.NotConverging);
    expect(outcome.bytesOut).toBeLessThan(TURNS_MAX * 40);
    expect(outcome.tookMs).toBeLessThan(1_000);
  });

  it('gets no more than a list of everything out of it', async () => {
    const outcome = await refuse({ honest: 'responder', liar: echo(1_000) });
    expectRefusal(outcome, DiscoveryCode.NotConverging);
    expect(outcome.bytesOut).toBeLessThan(1_000 * 100);
    expect(outcome.tookMs).toBeLessThan(1_000);
  });

  it('is refused as the one that answers, too', async () => {
    const liar: Liar = async (link) => {
      await link.receive();
      while (true) {
        await link.send(step({ ranges: [lie(3)] }));
        if ((await hear(link)) === undefined) return;
      }
    };
    expectRefusal(await refuse({ honest: 'initiator', liar }), DiscoveryCode.NotConverging);
  });
});

describe('a sync peer that does not deliver', () => {
  const listing =
    (after: (link: Link<SyncMessage>, wants: readonly PeerId[]) => Promise<void>): Liar =>
    async (link) => {
      const items = inventions(16).map(({ peer: id, version: at }) => ({ peer: id, version: at }));
      await link.send(open({ kind: 'list', ...ALL, items }));
      const heard = await hear(link);
      expect(heard?.wants).toHaveLength(16);
      await after(link, heard?.wants ?? []);
    };

  it('is refused when it says nothing about what it listed', async () => {
    const liar = listing((link) => link.send(step()));
    expectRefusal(await refuse({ honest: 'responder', liar }), DiscoveryCode.NotDelivered);
  });

  it('is refused when it delivers but one', async () => {
    const liar = listing(async (link, wants) => {
      const one = { peer: wants[0] as PeerId, version: version(0), bytes: new Uint8Array(0) };
      await link.send({ kind: 'entries', entries: [one] });
      await link.send(step());
    });
    expectRefusal(await refuse({ honest: 'responder', liar }), DiscoveryCode.NotDelivered);
  });

  it('may say that they are gone, which is counted', async () => {
    const liar = listing(async (link, wants) => {
      const gone = wants.map((id) => ({ peer: id, version: version(0), bytes: new Uint8Array(0) }));
      await link.send({ kind: 'entries', entries: gone });
      await link.send(step());
      await hear(link);
      await link.close();
    });
    const { result } = await refuse({ honest: 'responder', liar });
    expect(result).toMatchObject({ received: 0, changed: 0, missing: 16 });
  });

  it('may leave, which is counted, too', async () => {
    const liar = listing((link) => link.close());
    const { result } = await refuse({ honest: 'responder', liar });
    expect(result).toMatchObject({ received: 0, missing: 16 });
  });
});

describe('a sync peer that speaks of what nobody asked about', () => {
  /** Says one thing in answer to everything: a listed thousand, all of which it is sent. */
  const saying =
    (...messages: SyncMessage[]): Liar =>
    async (link) => {
      await link.send(open(emptyList()));
      await hear(link);
      for (const message of messages) await link.send(message);
    };
  const [first, second] = inventions(2) as [SentEntry, SentEntry];
  const own = peer(3);
  const range: SyncRange = { kind: 'fingerprint', from: '00', to: '01', count: 5, fingerprint: LIE };
  const cases: Record<string, SyncMessage[]> = {
    'asks for everything again': [step({ wants: [own] })],
    'opens again': [open(emptyList())],
    'sends a range of what is closed': [step({ ranges: [range] })],
    'sends an entry outside all lists': [{ kind: 'entries', entries: [first] }],
    'buries somebody': [step({ tombstones: [second] })],
  };
  it.each(Object.entries(cases))('is refused when it %s', async (_, messages) => {
    const liar = saying(...messages);
    expectRefusal(await refuse({ honest: 'responder', liar }), DiscoveryCode.Unasked);
  });

  it('is refused when it begins in the middle', async () => {
    const liar: Liar = (link) => link.send(step());
    expectRefusal(await refuse({ honest: 'responder', liar }), DiscoveryCode.Unasked);
  });

  it('is refused when it asks for the same list over and over', async () => {
    const liar: Liar = async (link) => {
      await link.send(open(lie(5)));
      const heard = await hear(link);
      const list = heard?.ranges.find(({ kind }) => kind === 'list');
      const wants = list?.kind === 'list' ? list.items.map(({ peer: id }) => id) : [];
      expect(wants).toHaveLength(10);
      while (link.end === undefined) {
        await link.send(step({ wants }));
        await hear(link);
      }
    };
    const outcome = await refuse({ honest: 'responder', liar, source: ModelCatalog.numbered(0, 10) });
    expectRefusal(outcome, DiscoveryCode.Unasked);
    expect(outcome.bytesOut).toBeLessThan(10 * 600);
  });

  it('is refused when it sends an entry older than what was listed, or one twice', async () => {
    const held = { peer: own, version: version(0) };
    const old = { ...held, bytes: entryBytes(held) };
    for (const entries of [[old], [first, first]]) {
      const liar: Liar = async (link) => {
        await link.receive();
        await link.send({ kind: 'entries', entries });
        await link.send(step());
      };
      const source = new ModelCatalog([held]);
      expectRefusal(await refuse({ honest: 'initiator', liar, source }), DiscoveryCode.Unasked);
    }
  });
});

describe('a sync peer that floods', () => {
  it('is refused at the limit of entries', async () => {
    const source = new ModelCatalog();
    const liar: Liar = async (link) => {
      await link.receive();
      for (const entry of inventions(2_000)) await link.send({ kind: 'entries', entries: [entry] });
    };
    const outcome = await meet({ honest: 'initiator', source, liar, options: { entriesMax: 1_000 } });
    expectRefusal(outcome, DiscoveryCode.TooManyEntries);
    expect(source.applied).toBe(1_000);
  });

  const ranges = (count: number): Uint8Array => {
    const one = [null, Uint8Array.of(1), []];
    return encodeCbor([1, Array.from({ length: count }, () => one), [], []]);
  };
  const flooding =
    (payload: Uint8Array): Liar =>
    async (link) => {
      await link.send(open(lie(1_000)));
      await link.receive();
      await link.sendEncoded(payload);
      await link.ended;
    };
  const liarsProtocol = { ...syncProtocol, maxFrameBytes: 64 * 1024 * 1024 };

  it('is refused with a million ranges, before they are buffered', async () => {
    const liar = flooding(ranges(1_000_000));
    const outcome = await refuse({ honest: 'responder', liar, liarsProtocol });
    expect(outcome.liarsEnd).toMatchObject({ kind: 'closed', by: 'remote', code: CloseCode.FrameTooLarge });
    expect(outcome.error).toMatchObject({ name: 'LinkEndedError' });
  });

  it('is refused with as many as fit into a frame, before they are looked at', async () => {
    const payload = ranges(Math.floor(FRAME_BYTES_MAX / 5) - 3);
    expect(payload.length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
    const outcome = await refuse({ honest: 'responder', liar: flooding(payload), liarsProtocol });
    expect(outcome.liarsEnd).toMatchObject({ kind: 'closed', by: 'remote', code: CloseCode.Malformed });
    const startMs = performance.now();
    expect(() => syncProtocol.codec.decode(payload)).toThrow(DecodeError);
    expect(performance.now() - startMs).toBeLessThan(200);
  });
});

describe('a sync peer that stalls', () => {
  it('is refused when it says nothing', async () => {
    for (const honest of ['initiator', 'responder'] as const) {
      const outcome = await refuse({ honest, liar: async (link) => void (await link.ended) });
      expectRefusal(outcome, DiscoveryCode.StepTimeout);
      expect(outcome.tookMs).toBeGreaterThanOrEqual(STEP_TIMEOUT_MS);
      expect(outcome.tookMs).toBeLessThan(STEP_TIMEOUT_MS + 3_000);
    }
  });

  it('is refused when it does not read', async () => {
    const source = ModelCatalog.numbered(0, 10_000);
    const liar: Liar = async (link) => {
      await link.send(open(emptyList()));
      await link.ended;
    };
    const { error, tookMs } = await meet({ honest: 'responder', source, liar });
    expect(error).toMatchObject({ name: 'SyncRefusedError', closeCode: DiscoveryCode.StepTimeout });
    expect(tookMs).toBeLessThan(STEP_TIMEOUT_MS + 3_000);
  });

  it('is refused when it sends a little, always just in time', async () => {
    const source = new ModelCatalog();
    const liar: Liar = async (link, world) => {
      await link.receive();
      for (const entry of inventions(100)) {
        await link.send({ kind: 'entries', entries: [entry] });
        await pause(world, STEP_TIMEOUT_MS - 100);
      }
    };
    const outcome = await meet({ honest: 'initiator', source, liar });
    expectRefusal(outcome, DiscoveryCode.StepTimeout);
    expect(outcome.tookMs).toBeLessThan(SESSION_TIMEOUT_MS + 3_000);
  });

  it('does not hold up an abort', async () => {
    const controller = new AbortController();
    const liar: Liar = async (link, world) => {
      await pause(world, 100);
      controller.abort();
      await link.ended;
    };
    const { signal } = controller;
    const { error, tookMs } = await refuse({ honest: 'initiator', liar, options: { signal } });
    expect(error).toMatchObject({ name: 'AbortedError' });
    expect(tookMs).toBeLessThan(200);
  });
});
