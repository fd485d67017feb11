import { DecodeError, decodeCbor, encodeCbor } from '@mosaik/primitives';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { Preference } from '../raft/raft.ts';
import type { MemberId } from '../raft/types.ts';
import { type History, isHistory } from './history.ts';
import { parseMember } from './member.ts';

/** What a member tells of itself over its bonds. Small, and changes seldom. */
export interface MemberStatus {
  readonly member: MemberId;
  /** The history that its log is of; undefined for a new member that has none yet. */
  readonly history: History | undefined;
  /** Something of this history is known to be committed. */
  readonly isEstablished: boolean;
  readonly preference: Preference;
  /** It wants to be taken out of the group. */
  readonly isLeaving: boolean;
  /** Of members that have no history yet: whom it would have found the group. */
  readonly founder: MemberId | undefined;
}

const FORMAT = 1;
const PREFERENCES: readonly Preference[] = ['normal', 'reluctant', 'observer'];
const IS_ESTABLISHED = 1;
const IS_LEAVING = 2;

/** CBOR of `[format, member, history id or null, founded at, flags, preference, founder or null]`; ids are bytes. */
export function encodeStatus(status: MemberStatus): Uint8Array {
  const { member, history, isEstablished, isLeaving, preference, founder } = status;
  return encodeCbor([
    FORMAT,
    hexToBytes(member),
    history === undefined ? null : hexToBytes(history.id),
    history?.foundedAtMs ?? 0,
    (isEstablished ? IS_ESTABLISHED : 0) | (isLeaving ? IS_LEAVING : 0),
    PREFERENCES.indexOf(preference),
    founder === undefined ? null : hexToBytes(founder),
  ]);
}

/** @throws {DecodeError} */
export function decodeStatus(bytes: Uint8Array): MemberStatus {
  const fields = decodeCbor(bytes, { maxDepth: 4, maxItems: 64, int64: 'number' });
  if (!Array.isArray(fields) || fields[0] !== FORMAT)
    throw new DecodeError('schema', 'no status of a member');
  const [, member, history, foundedAtMs, flags, preference, founder] = fields as unknown[];
  if (!Number.isSafeInteger(flags)) throw new DecodeError('schema', 'flags that are no number');
  const wants = PREFERENCES[preference as number];
  if (wants === undefined) throw new DecodeError('schema', 'a preference that is not known');
  return {
    member: readMember(member),
    history: history === null ? undefined : readHistory(history, foundedAtMs),
    isEstablished: ((flags as number) & IS_ESTABLISHED) !== 0,
    isLeaving: ((flags as number) & IS_LEAVING) !== 0,
    preference: wants,
    founder: founder === null ? undefined : readMember(founder),
  };
}

function readMember(value: unknown): MemberId {
  if (!(value instanceof Uint8Array)) throw new DecodeError('schema', 'a member that is no bytes');
  return parseMember(bytesToHex(value));
}

function readHistory(id: unknown, foundedAtMs: unknown): History {
  const history = { id: id instanceof Uint8Array ? bytesToHex(id) : '', foundedAtMs };
  if (!isHistory(history)) throw new DecodeError('schema', 'no history');
  return history;
}
