import { DecodeError, encodeCbor, type PeerId } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { type Asker, Askers } from '../../src/detector/askers.ts';
import { type ProbeMessage, probeCodec, type Starts } from '../../src/detector/probe-protocol.ts';
import { peerId } from '../support/entries.ts';

const PEER = peerId('doubled');
const ELDER = 1_000;
const YOUNGER = 2_000;
const BOTH: Starts = [ELDER, YOUNGER];

/** A process that asks, as the one who answers sees it. A live one confirms what it is told. */
class AskingProcess {
  readonly told: Starts[] = [];
  readonly #start: number;
  readonly #asker: Asker;
  readonly #ended = Promise.withResolvers<never>();
  isAlive = true;

  constructor(askers: Askers, start: number, peer: PeerId = PEER) {
    this.#start = start;
    const link: Pick<Link<ProbeMessage>, 'peer' | 'end' | 'ended' | 'trySend'> = {
      peer,
      end: undefined,
      ended: this.#ended.promise,
      trySend: (message) => this.#receive(message),
    };
    this.#asker = askers.add(link as Link<ProbeMessage>);
  }

  hello(): void {
    this.#asker.hello(this.#start);
  }

  async end(): Promise<void> {
    this.#ended.resolve(undefined as never);
    await Promise.resolve();
  }

  #receive(message: ProbeMessage): boolean {
    if (message.kind !== 'twice' || !this.isAlive) return true;
    expect(message.starts).toContain(this.#start);
    this.told.push(message.starts.toSorted((a, b) => a - b) as unknown as Starts);
    this.#asker.confirm(message.starts);
    return true;
  }
}

function setUp(heldStart?: number): { askers: Askers; elder: AskingProcess; younger: AskingProcess } {
  const askers = new Askers((peer) => (peer === PEER ? heldStart : undefined));
  return { askers, elder: new AskingProcess(askers, ELDER), younger: new AskingProcess(askers, YOUNGER) };
}

describe('two processes that ask with one key', () => {
  it.each([
    ['elder', 'younger'],
    ['younger', 'elder'],
  ] as const)('are both told once, when the %s is there first', (first, second) => {
    const { askers, ...processes } = setUp();
    processes[first].hello();
    expect(processes[first].told).toEqual([]);
    processes[second].hello();
    askers.onStart(PEER, YOUNGER);
    askers.tellTwice(PEER, BOTH);
    expect(processes.elder.told).toEqual([BOTH]);
    expect(processes.younger.told).toEqual([BOTH]);
  });

  it('are told when an entry shows the younger one, which does not ask here: the elder at once, the other when it comes', () => {
    const { askers, elder, younger } = setUp();
    elder.hello();
    askers.onStart(PEER, YOUNGER);
    expect(elder.told).toEqual([BOTH]);
    younger.hello();
    expect(younger.told).toEqual([BOTH]);
  });

  it('are told when the elder comes to whoever holds the entry of the younger', () => {
    const { elder } = setUp(YOUNGER);
    elder.hello();
    expect(elder.told).toEqual([BOTH]);
  });

  it('are told when others have found it out, also if they ask here only later', () => {
    const { askers, elder, younger } = setUp();
    elder.hello();
    askers.tellTwice(PEER, BOTH);
    younger.hello();
    expect([elder.told, younger.told]).toEqual([[BOTH], [BOTH]]);
  });

  it('are told of a third one', () => {
    const { askers, elder, younger } = setUp();
    elder.hello();
    younger.hello();
    const third = new AskingProcess(askers, 3_000);
    third.hello();
    expect(third.told.length).toBeGreaterThanOrEqual(1);
    expect(elder.told).toContainEqual([ELDER, 3_000]);
  });
});

describe('one process', () => {
  it('that was restarted is told nothing, while the links of its former life are still there', () => {
    const { askers, elder, younger } = setUp();
    elder.hello();
    elder.isAlive = false;
    askers.onStart(PEER, YOUNGER);
    younger.hello();
    expect(younger.told).toEqual([]);
  });

  it('is told nothing when an entry of its former life comes to light', () => {
    const { askers, younger } = setUp(ELDER);
    younger.hello();
    askers.onStart(PEER, ELDER);
    expect(younger.told).toEqual([]);
  });

  it('is told nothing when it asks on several links, nor when another peer starts', () => {
    const { askers, elder } = setUp();
    elder.hello();
    const again = new AskingProcess(askers, ELDER);
    again.hello();
    new AskingProcess(askers, YOUNGER, peerId('another')).hello();
    askers.onStart(peerId('another'), YOUNGER);
    expect([elder.told, again.told]).toEqual([[], []]);
  });

  it('is not told on a link that has ended', async () => {
    const { elder, younger } = setUp();
    elder.hello();
    await elder.end();
    younger.hello();
    expect([elder.told, younger.told]).toEqual([[], []]);
  });
});

describe('the messages of probes', () => {
  it.each<ProbeMessage>([
    { kind: 'hello', start: 1_767_225_600_000 },
    { kind: 'ask', sequence: 1, target: undefined },
    { kind: 'ask', sequence: 70_000, target: PEER },
    { kind: 'answer', sequence: 2, isAlive: true },
    { kind: 'answer', sequence: 3, isAlive: false },
    { kind: 'twice', starts: BOTH },
    { kind: 'prune' },
  ])('come back as they were: $kind', (message) => {
    const bytes = probeCodec.encode(message);
    expect(bytes.length).toBeLessThan(64);
    expect(probeCodec.decode(bytes)).toEqual(message);
  });

  it.each([[0, 1.5], [0, -1], [0, Number.NaN], [0, [1]], [0, [1, 'two']], [0, 'hello'], ['0'], 'probe'])(
    'are refused when they are %j',
    (...fields) => {
      expect(() => probeCodec.decode(encodeCbor(fields.length === 1 ? fields[0] : fields))).toThrow(
        DecodeError,
      );
    },
  );
});
