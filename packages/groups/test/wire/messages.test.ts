import { DecodeError } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MESSAGE_HEAD_BYTES } from '../../src/bonds/codec.ts';
import { encodeConfiguration } from '../../src/raft/configuration.ts';
import type { Message } from '../../src/raft/messages.ts';
import type { Entry, LogIndex, LogPosition, MemberId, Term } from '../../src/raft/types.ts';
import { manifestOf } from '../../src/storage/manifest.ts';
import { decodeHistory, encodeHistory, type History } from '../../src/wire/history.ts';
import { decodeGroupMessage, encodeGroupMessage, type GroupMessage } from '../../src/wire/messages.ts';
import { decodeStatus, encodeStatus, type MemberStatus } from '../../src/wire/status.ts';

const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((all) => all.join(''));
const member = hex(96) as fc.Arbitrary<MemberId>;
const number = fc.oneof(fc.nat(), fc.maxSafeNat());
const index = fc.integer({ min: 0, max: 2 ** 50 }) as fc.Arbitrary<LogIndex>;
const term = number as fc.Arbitrary<Term>;
const position: fc.Arbitrary<LogPosition> = fc.record({ index, term });
const parties = fc.record({ from: member, to: member });

/** Entries after a place, with terms that do not fall. */
function entriesAfter(previous: LogPosition): fc.Arbitrary<Entry[]> {
  const kind = fc.constantFrom('command' as const, 'noop' as const);
  return fc.array(fc.record({ kind, data: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 5 }).map((all) =>
    all.map(({ kind, data }, place) => ({
      index: (previous.index + 1 + place) as LogIndex,
      term: previous.term,
      kind,
      data,
    })),
  );
}

const body = fc.oneof(
  fc.record({ type: fc.constant('preVoteRequest' as const), last: position }),
  fc.record({
    type: fc.constantFrom('preVoteResponse' as const, 'voteResponse' as const),
    granted: fc.boolean(),
  }),
  fc.record({ type: fc.constant('voteRequest' as const), last: position, isTransfer: fc.boolean() }),
  position.chain((previous) =>
    fc.record({
      type: fc.constant('append' as const),
      previous: fc.constant(previous),
      commit: index,
      entries: entriesAfter(previous),
    }),
  ),
  fc.record(
    {
      type: fc.constant('appendResponse' as const),
      match: index,
      rejection: fc.record({ index, hint: position }),
    },
    { requiredKeys: ['type', 'match'] },
  ),
  fc.record({ type: fc.constant('heartbeat' as const), commit: index, round: number }),
  fc.record({ type: fc.constant('heartbeatResponse' as const), round: number, match: index }),
  fc.record({ type: fc.constant('catchUp' as const), commit: index }),
  fc.record({ type: fc.constant('timeoutNow' as const) }),
  fc.record({ type: fc.constant('readRequest' as const), context: number, epoch: number }),
  fc.record(
    { type: fc.constant('readResponse' as const), context: number, epoch: number, index },
    { requiredKeys: ['type', 'context', 'epoch'] },
  ),
);

const configuration = fc
  .uniqueArray(member, { maxLength: 4 })
  .map((all) => ({ voters: all.slice(0, 2).sort(), learners: all.slice(2).sort() }));

function message(between: { from: MemberId; to: MemberId }): fc.Arbitrary<GroupMessage> {
  const id = number;
  const bytes = fc.uint8Array({ maxLength: 60 });
  return fc.oneof(
    fc.tuple(body, term).map(([fields, term]) => ({
      kind: 'raft' as const,
      message: { ...between, term, ...fields } as Message,
    })),
    fc.record({ kind: fc.constant('forward' as const), records: bytes }),
    fc.record({ kind: fc.constant('forwardRefused' as const) }),
    fc.record({ kind: fc.constantFrom('rangeAsk' as const, 'manifestAsk' as const), id }),
    fc.record({
      kind: fc.constant('range' as const),
      id,
      held: fc.record({ base: index, commit: index, term, snapshot: index }),
    }),
    fc.record({ kind: fc.constant('entriesAsk' as const), id, from: index, to: index }),
    position.chain((previous) =>
      fc.record({
        kind: fc.constant('entries' as const),
        id,
        from: fc.constant((previous.index + 1) as LogIndex),
        entries: entriesAfter(previous),
      }),
    ),
    fc.record({
      kind: fc.constant('manifest' as const),
      id,
      offer: fc.option(
        fc.record({
          meta: fc.record({ index, term, configuration }),
          term,
          manifest: fc
            .tuple(number, fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 4 }))
            .map(([size, hashes]) => manifestOf(size, hashes)),
        }),
        { nil: undefined },
      ),
    }),
    fc.record({ kind: fc.constant('chunkAsk' as const), id, index, position: number }),
    fc.record({ kind: fc.constant('chunk' as const), id, chunk: bytes }),
    fc.record({ kind: fc.constant('quiesce' as const), term, index }),
    fc.constant({ kind: 'awake' as const }),
    fc.record({
      kind: fc.constant('stateHash' as const),
      index,
      hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    }),
  );
}

const sent = parties.chain((between) => fc.tuple(fc.constant(between), message(between)));

describe('messages of a group', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(sent, ([between, value]) => {
        const payload = encodeGroupMessage(7, between, value).subarray(MESSAGE_HEAD_BYTES);
        expect(decodeGroupMessage(payload, between)).toEqual(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of another life of either side are not for this one', () => {
    fc.assert(
      fc.property(sent, member, ([between, value], other) => {
        fc.pre(
          other.slice(64, 72) !== between.to.slice(64, 72) &&
            other.slice(64, 72) !== between.from.slice(64, 72),
        );
        const payload = encodeGroupMessage(7, between, value).subarray(MESSAGE_HEAD_BYTES);
        expect(decodeGroupMessage(payload, { ...between, to: other })).toBeUndefined();
        expect(decodeGroupMessage(payload, { ...between, from: other })).toBeUndefined();
      }),
    );
  });

  it('that are damaged are read or refused, and nothing else', () => {
    const damaged = fc.tuple(sent, fc.nat(), fc.nat(255), fc.nat(200));
    fc.assert(
      fc.property(damaged, ([[between, value], at, to, cut]) => {
        const payload = encodeGroupMessage(7, between, value).slice(MESSAGE_HEAD_BYTES);
        payload[8 + (at % (payload.length - 8))] = to;
        try {
          decodeGroupMessage(payload.subarray(0, cut < 100 ? payload.length : cut), between);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('with a configuration that is none are refused', () => {
    const between = { from: '0'.repeat(96) as MemberId, to: '1'.repeat(96) as MemberId };
    const append = (data: Uint8Array): Uint8Array => {
      const entry: Entry = { index: 1 as LogIndex, term: 1 as Term, kind: 'configuration', data };
      const previous = { index: 0 as LogIndex, term: 0 as Term };
      const message: Message = {
        type: 'append',
        ...between,
        term: 1 as Term,
        previous,
        commit: 0 as LogIndex,
        entries: [entry],
      };
      return encodeGroupMessage(1, between, { kind: 'raft', message }).subarray(MESSAGE_HEAD_BYTES);
    };
    const good = encodeConfiguration({ voters: [between.from], learners: [] });
    expect(decodeGroupMessage(append(good), between)).toMatchObject({ kind: 'raft' });
    expect(() => decodeGroupMessage(append(new Uint8Array(3)), between)).toThrow(DecodeError);
  });
});

describe('what members tell of themselves', () => {
  const history: fc.Arbitrary<History> = fc.record({
    id: hex(32),
    foundedAtMs: fc.nat({ max: 2 ** 31 - 1 }),
  });
  const status: fc.Arbitrary<MemberStatus> = fc.record({
    member,
    history: fc.option(history, { nil: undefined }),
    isEstablished: fc.boolean(),
    preference: fc.constantFrom('normal' as const, 'reluctant' as const, 'observer' as const),
    isLeaving: fc.boolean(),
    founder: fc.option(member, { nil: undefined }),
  });

  it('comes back as it was', () => {
    fc.assert(fc.property(status, (value) => void expect(decodeStatus(encodeStatus(value))).toEqual(value)));
    fc.assert(
      fc.property(history, (value) => void expect(decodeHistory(encodeHistory(value))).toEqual(value)),
    );
  });

  it('is refused or read when it is anything else', () => {
    const damaged = fc.tuple(status, fc.nat(), fc.nat(255)).map(([value, at, to]) => {
      const bytes = Uint8Array.from(encodeStatus(value));
      bytes[at % bytes.length] = to;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
        for (const decode of [decodeStatus, decodeHistory])
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
      }),
      { numRuns: 3_000 },
    );
  });
});
