import type { Member } from './member.ts';

/** Waits until a member that leaves has been taken out by the others; not longer than they are given. */
export async function untilOut(member: Member): Promise<void> {
  const { changes, runtime, settings } = member;
  const isOutNow = changes.condition('out of the group', () => isOut(member));
  const limit = new AbortController();
  const timer = runtime.setTimer(settings.leaveTimeoutMs, () => limit.abort());
  await isOutNow.wait({ signal: limit.signal }).catch(() => {});
  timer.cancel();
}

/** It neither leads nor votes, or there is nobody who could see to that. */
function isOut({ state, life, peers }: Member): boolean {
  if (state !== 'leaving' || life?.works === undefined || peers.size === 0) return true;
  const { configuration, isCommitted } = life.works.replica.status.configuration;
  return isCommitted && !life.isLeader && !configuration.voters.includes(life.member);
}
