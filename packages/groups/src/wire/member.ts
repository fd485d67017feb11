import { DecodeError, type PeerId } from '@mosaik/primitives';
import type { MemberId } from '../raft/types.ts';
import type { Incarnation } from '../storage/storage.ts';

const PEER_LENGTH = 64;
const MEMBER_TEXT = /^[0-9a-f]{96}$/;

/** A member: a peer and one life of its log, as text that sorts by peer first. */
export function memberId(peer: PeerId, incarnation: Incarnation): MemberId {
  return `${peer}${incarnation}` as MemberId;
}

export function peerOf(member: MemberId): PeerId {
  return member.slice(0, PEER_LENGTH) as PeerId;
}

/** @throws {DecodeError} when the text is no member. */
export function parseMember(text: string): MemberId {
  if (!MEMBER_TEXT.test(text)) throw new DecodeError('schema', 'no member of a group');
  return text as MemberId;
}

/** The member among these that is of a peer. */
export function memberOfPeer(members: readonly MemberId[], peer: PeerId): MemberId | undefined {
  return members.find((member) => peerOf(member) === peer);
}
