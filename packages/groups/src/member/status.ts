import { encodeStatus } from '../wire/status.ts';
import type { Member } from './member.ts';

/** What a member tells the others of itself. */
export function statusOf(member: Member): Uint8Array {
  const { life } = member;
  if (life === undefined) return new Uint8Array(0);
  const { history, isEstablished, preference } = life;
  return encodeStatus({
    member: life.member,
    history,
    isEstablished: history !== undefined && isEstablished,
    preference,
    isLeaving: member.isLeaving(),
    founder: member.histories.founderOf(life),
  });
}
