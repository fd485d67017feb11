import { CommandSession } from '../client/session.ts';
import { Reads } from '../driver/reads.ts';
import type { Member } from './member.ts';

/** Of election timeouts: what was sent and is not answered by then is sent again. */
const PATIENCE = 2;

/** The commands of a member; `offer` hands records to who leads now. */
export function createSession(member: Member, offer: (records: Uint8Array) => boolean): CommandSession {
  return new CommandSession({
    runtime: member.runtime,
    offer,
    outcomeOf: (session, sequence) => member.life?.works?.applier.outcomeOf(session, sequence),
    resendAfterMs: PATIENCE * member.settings.electionTimeoutMs,
  });
}

/** The strong reads of a member. */
export function createReads(member: Member): Reads {
  return new Reads({
    ask: (context) => member.life?.works?.replica.requestRead(context).ok ?? false,
    now: () => member.runtime.now(),
    patienceMs: PATIENCE * member.settings.electionTimeoutMs,
  });
}
