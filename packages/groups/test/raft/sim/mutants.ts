import { majority } from '../../../src/raft/quorum.ts';
import type { Rules } from '../../../src/raft/rules.ts';

/** Plausible wrong rules, each of which loses data or lies in some history that the simulator has to find. */
export const mutants: Readonly<Record<string, Partial<Rules>>> = {
  'vote not persisted': { storedVote: () => undefined },
  'acknowledgement before fsync': { stored: (_durable, last) => last },
  'entries of old terms committed by counting': { isCommittedByCounting: () => true },
  'quorum of the reachable only': {
    quorum({ voters }, isReachable) {
      const members = voters.filter(isReachable);
      return { members, size: majority(members.length) };
    },
  },
  'membership change before an entry of the own term': { mayReconfigure: () => true },
  'learners counted': {
    quorum: ({ voters, learners }) => ({ members: [...voters, ...learners], size: majority(voters.length) }),
  },
  'strong read without confirmation': { confirmedRound: (_answered, sent) => sent },
  'committed entries truncated': { isConflict: () => true, mayTruncate: () => true },
  'check-quorum off, and a cut-off leader serves reads': {
    checksQuorum: false,
    confirmedRound: (answered, sent) => (answered > 0 ? sent : answered),
  },
};
