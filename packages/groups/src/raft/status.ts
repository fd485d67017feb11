import { configurationOf } from './output.ts';
import type { FollowerStatus, Status } from './raft.ts';
import { isEstablished, type State } from './state.ts';
import type { LogIndex } from './types.ts';

/** A view that is always up to date; reading one field costs no more than that. */
export function createStatus(s: State): Status {
  return {
    id: s.id,
    get term() {
      return s.term;
    },
    get role() {
      return s.role;
    },
    get leader() {
      return s.leader;
    },
    get vote() {
      return s.vote;
    },
    get commit() {
      return s.commit;
    },
    get applied() {
      return s.applied;
    },
    get lastIndex() {
      return s.log.last.index;
    },
    get lastTerm() {
      return s.log.last.term;
    },
    get durable() {
      return s.writes.durable;
    },
    get firstIndex() {
      return (s.log.base.index + 1) as LogIndex;
    },
    get configuration() {
      return configurationOf(s);
    },
    get isEstablished() {
      return isEstablished(s);
    },
    get transferee() {
      return s.lead?.transfer?.to;
    },
    get followers() {
      return followersOf(s);
    },
  };
}

function followersOf(s: State): FollowerStatus[] {
  const { followers = [] } = s.lead ?? {};
  return followers.map(({ id, state, match, silentTicks }) => ({ id, state, match, silentTicks }));
}
