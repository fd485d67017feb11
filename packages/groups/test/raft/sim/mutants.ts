import { majority } from '../../../src/raft/quorum.ts';
import type { Rules } from '../../../src/raft/rules.ts';
import type { Trial } from './swarm.ts';

const lease: Rules['confirmedRound'] = (_answered, sent) => sent;

/** Plausible wrong rules, each of which loses data or lies in some history that the simulator has to find. */
export const mutants: Readonly<Record<string, Trial>> = {
  'vote not persisted': { rules: { storedVote: () => undefined } },
  'acknowledgement before fsync': { rules: { stored: (_durable, last) => last } },
  'entries of old terms committed by counting': { rules: { isCommittedByCounting: () => true } },
  'quorum of the reachable only': {
    rules: {
      quorum({ voters }, isReachable) {
        const members = voters.filter(isReachable);
        return { members, size: majority(members.length) };
      },
    },
  },
  'membership change before an entry of the own term': { rules: { mayReconfigure: () => true } },
  'learners counted': {
    rules: {
      quorum: ({ voters, learners }) => ({
        members: [...voters, ...learners],
        size: majority(voters.length),
      }),
    },
  },
  'strong read without confirmation': { rules: { confirmedRound: lease } },
  'committed entries truncated': { rules: { isConflict: () => true, mayTruncate: () => true } },
  'check-quorum off, and a cut-off leader serves reads': {
    rules: { checksQuorum: false, confirmedRound: lease },
    readsByLease: true,
  },
};

/** Not wrong, for reads that may be as stale as a lease is long: what the last of the mutants is but for check-quorum. */
export const leased: Trial = { rules: { confirmedRound: lease }, readsByLease: true };
