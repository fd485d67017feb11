import {
  createMetrics,
  encodeCanonical,
  networkId,
  type PeerId,
  type Runtime,
  systemRuntime,
} from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { CatalogBook } from '../../src/catalog/book.ts';
import { Intake, type Outcome } from '../../src/catalog/intake.ts';
import type { EntryVersion, SignedEntry } from '../../src/entry/peer-entry.ts';
import { MAX_ENTRY_BYTES, type Verify } from '../../src/entry/signed-entry.ts';
import { settingsOf } from '../../src/options.ts';
import { entryOf, forged, NETWORK, peerId, signed, verify as verifyForReal } from '../support/entries.ts';

const NOW_MS = 1_800_000_000_000;
const SELF = peerId('self');
const OWN_START = NOW_MS - 60_000;
const NEIGHBOUR = peerId('neighbour');

/** An intake over a book, with time moved by hand and verifications counted and held back. */
class Gate {
  readonly book = new CatalogBook();
  readonly metrics = createMetrics();
  readonly aboutSelf: SignedEntry[] = [];
  readonly intake: Intake;
  nowMs = 0;
  verified = 0;
  /** Verifications wait for it. */
  gate: Promise<void> = Promise.resolve();

  constructor(verificationsPerSecond = 200) {
    const runtime: Runtime = { ...systemRuntime, now: () => this.nowMs, wallNow: () => NOW_MS + this.nowMs };
    const verify: Verify = async (...signature) => {
      this.verified++;
      await this.gate;
      return verifyForReal(...signature);
    };
    this.intake = new Intake({
      book: this.book,
      runtime,
      metrics: this.metrics,
      network: NETWORK,
      self: SELF,
      ownStart: () => OWN_START,
      settings: settingsOf({ transport: undefined as never, verificationsPerSecond }),
      verify,
      onAccepted: (entry, verdict) => {
        const { peer, version } = entry.entry;
        if (verdict === 'depart') this.book.bury(peer, version, this.nowMs);
        else this.book.put(entry, this.nowMs);
      },
      onSelf: (entry) => void this.aboutSelf.push(entry),
    });
  }

  take({ bytes }: Pick<SignedEntry, 'bytes'>, from: PeerId | undefined = NEIGHBOUR): Promise<Outcome> {
    return this.intake.take(bytes, from);
  }

  get refused(): Record<string, number> {
    const points = this.metrics.snapshot()['mosaik.discovery.refused'] ?? [];
    return Object.fromEntries(
      points.map((point) => [String(point.labels['reason']), 'value' in point ? Number(point.value) : 0]),
    );
  }
}

const at = (update: number, start = -1_000): EntryVersion => ({
  start: NOW_MS + start,
  update: NOW_MS + update,
});
const peer = peerId('a');

describe('an entry', () => {
  it('is verified and taken, and verified no more when it comes again', async () => {
    const gate = new Gate();
    const entry = await signed(entryOf(peer, at(0)));
    expect(await gate.take(entry)).toBe('insert');
    for (let again = 0; again < 10; again++) expect(await gate.take(entry)).toBe('equal');
    expect(gate.verified).toBe(1);
    expect(gate.refused).toEqual({ equal: 10 });
  });

  it('that arrives ten times at once is verified once', async () => {
    const gate = new Gate();
    let open = (): void => {};
    gate.gate = new Promise((resolve) => {
      open = resolve;
    });
    const { bytes } = await signed(entryOf(peer, at(0)));
    const outcomes = Array.from({ length: 10 }, (_, index) =>
      gate.take({ bytes: bytes.slice() }, peerId(`neighbour ${index}`)),
    );
    open();
    expect((await Promise.all(outcomes)).sort()).toEqual([...Array(9).fill('equal'), 'insert']);
    expect(gate.verified).toBe(1);
  });

  it('that is overtaken by a newer one while it is being verified is not put back', async () => {
    const gate = new Gate();
    let open = (): void => {};
    gate.gate = new Promise((resolve) => {
      open = resolve;
    });
    const older = gate.take(await signed(entryOf(peer, at(0))));
    gate.gate = Promise.resolve();
    expect(await gate.take(await signed(entryOf(peer, at(1))))).toBe('insert');
    open();
    expect(await older).toBe('older');
    expect(gate.book.get(peer)?.entry.version).toEqual(at(1));
  });

  it('proves nothing for another one that claims to be the same, however alike', async () => {
    const gate = new Gate();
    let open = (): void => {};
    gate.gate = new Promise((resolve) => {
      open = resolve;
    });
    const right = await signed(entryOf(peer, at(0)));
    const wrong = await forged(entryOf(peer, at(0), { addresses: ['sim://elsewhere'] }));
    const twin = withChecksumOf(wrong.bytes, right.bytes);
    expect(fnv1a(twin)).toBe(fnv1a(right.bytes));
    const outcomes = Promise.all([gate.take({ bytes: twin }), gate.take(right)]);
    open();
    expect(await outcomes).toEqual(['forged', 'insert']);
    expect(gate.verified).toBe(2);
    expect(gate.book.get(peer)?.entry.addresses).toEqual([]);
  });

  it('that says goodbye takes its peer out, and older ones do not bring it back', async () => {
    const gate = new Gate();
    await gate.take(await signed(entryOf(peer, at(0))));
    expect(await gate.take(await signed(entryOf(peer, at(1), { isDeparted: true })))).toBe('depart');
    expect(gate.book.size).toBe(0);
    expect(await gate.take(await signed(entryOf(peer, at(0))))).toBe('buried');
    expect(await gate.take(await signed(entryOf(peer, at(3, 3))))).toBe('insert');
  });
});

describe('what is cheap is checked first: no signature is verified of', () => {
  const refusals: [what: string, reason: string, make: () => Promise<Pick<SignedEntry, 'bytes'>>][] = [
    ['noise', 'malformed', async () => ({ bytes: new Uint8Array([1, 2, 3]) })],
    [
      'what is too large',
      'malformed',
      async () => ({ bytes: encodeCanonical([new Uint8Array(MAX_ENTRY_BYTES), new Uint8Array(64)]) }),
    ],
    [
      'an entry of another network',
      'foreign',
      () => signed(entryOf(peer, at(0), { network: networkId('x') })),
    ],
    ['one dated too far ahead', 'future', () => signed(entryOf(peer, at(10_001)))],
    ['one that would be purged at once', 'stale', () => signed(entryOf(peer, at(-300_001, -300_001)))],
    ['a replayed older one', 'older', () => signed(entryOf(peer, at(-1)))],
    ['a replay of what is held', 'equal', () => signed(entryOf(peer, at(0)))],
    [
      'what this process said itself',
      'equal',
      () => signed(entryOf(SELF, { start: OWN_START, update: NOW_MS })),
    ],
  ];

  it.each(refusals)('%s, counted as %s', async (_, reason, make) => {
    const gate = new Gate();
    await gate.take(await signed(entryOf(peer, at(0))));
    expect(await gate.take(await make())).toBe(reason);
    expect(gate.verified).toBe(1);
    expect(gate.refused).toEqual({ [reason]: 1 });
    expect(gate.book.get(peer)?.entry.version).toEqual(at(0));
  });
});

describe('a flood', () => {
  it('of forged entries costs no more than the share of the neighbour it comes from', async () => {
    const gate = new Gate(10);
    const flood = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => forged(entryOf(peerId(index), at(0)))),
    );
    for (const entry of flood) await gate.take(entry);
    // Ten a second, and thirty seconds' worth at once.
    expect(gate.verified).toBe(300);
    expect(gate.refused).toEqual({ forged: 300, throttled: 700 });
    expect(gate.book.size).toBe(0);

    const right = await signed(entryOf(peer, at(0)));
    expect(await gate.take(right)).toBe('throttled');
    expect(await gate.take(right, peerId('another neighbour'))).toBe('insert');
    expect(gate.metrics.snapshot()['mosaik.discovery.verified']).toEqual([
      expect.objectContaining({ value: 301 }),
    ]);
  });

  it('that is over is forgiven: the share fills up with time', async () => {
    const gate = new Gate(10);
    for (let index = 0; index < 300; index++) await gate.take(await forged(entryOf(peerId(index), at(0))));
    expect(await gate.take(await signed(entryOf(peer, at(0))))).toBe('throttled');
    gate.nowMs = 100;
    expect(await gate.take(await signed(entryOf(peer, at(0))))).toBe('insert');
    expect(await gate.take(await signed(entryOf(peerId('b'), at(0))))).toBe('throttled');
  });

  it('of a neighbour that has gone leaves nothing behind', async () => {
    const gate = new Gate(1);
    for (let index = 0; index < 31; index++) await gate.take(await forged(entryOf(peerId(index), at(0))));
    expect(gate.refused['throttled']).toBe(1);
    gate.intake.forget(NEIGHBOUR);
    expect(await gate.take(await signed(entryOf(peer, at(0))))).toBe('insert');
  });

  it('by the user is none: what is fed by hand is not throttled', async () => {
    const gate = new Gate(1);
    for (let index = 0; index < 100; index++) {
      expect(await gate.intake.take((await signed(entryOf(peerId(index), at(0)))).bytes, undefined)).toBe(
        'insert',
      );
    }
  });
});

describe('an entry that speaks of this node', () => {
  it('by another process with its key is told of, once it is proven', async () => {
    const gate = new Gate();
    const other = await signed(entryOf(SELF, at(0, -10)));
    expect(await gate.take(other)).toBe('self');
    expect(gate.aboutSelf.map(({ entry }) => entry.version)).toEqual([other.entry.version]);
    expect(await gate.take(await forged(entryOf(SELF, at(1, -9))))).toBe('forged');
    expect(gate.aboutSelf).toHaveLength(1);
    expect(gate.refused).toEqual({ forged: 1 });
  });
});

function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** `bytes` with other last four bytes, which belong to the signature, so that a 32-bit checksum is that of `model`. */
function withChecksumOf(bytes: Uint8Array, model: Uint8Array): Uint8Array {
  const wanted = fnv1a(model);
  const made = bytes.slice();
  const view = new DataView(made.buffer);
  const prefix = bytes.length - 4;
  let state = 0x811c9dc5;
  for (const byte of made.subarray(0, prefix)) state = Math.imul(state ^ byte, 0x01000193);
  // Meet in the middle: two bytes forwards, two bytes backwards.
  const forwards = new Map<number, number>();
  for (let pair = 0; pair < 0x1_0000; pair++) forwards.set(step(step(state, pair >>> 8), pair & 255), pair);
  for (let pair = 0; pair < 0x1_0000; pair++) {
    const middle = back(back(wanted, pair & 255), pair >>> 8);
    const first = forwards.get(middle >>> 0);
    if (first === undefined) continue;
    view.setUint16(prefix, first);
    view.setUint16(prefix + 2, pair);
    return made;
  }
  // One pair in three has none: another byte of the signature gives another chance.
  made[prefix - 1] = ((made[prefix - 1] as number) + 1) & 255;
  return withChecksumOf(made, model);
}

const PRIME_INVERSE = 0x359c449b;
const step = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193) >>> 0;
const back = (hash: number, byte: number): number => (Math.imul(hash, PRIME_INVERSE) ^ byte) >>> 0;
