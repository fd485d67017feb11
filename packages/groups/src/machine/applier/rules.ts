/**
 * The rules that exactly-once hangs on. The simulator replaces them by plausible wrong ones, to prove that it would notice;
 * no part of the public contract.
 */
export interface ApplierRules {
  /** Whether a snapshot holds the sessions (Raft dissertation §6.3): without them a retry after a restore applies again. */
  readonly snapshotHoldsSessions: boolean;
  /** Whether a session that was never opened, or has ended, is refused; else it begins with whatever command comes. */
  readonly refusesUnknownSessions: boolean;
  /** Whether a command that was applied before is not applied again. */
  readonly appliesOnce: boolean;
}

export const safeApplierRules: ApplierRules = {
  snapshotHoldsSessions: true,
  refusesUnknownSessions: true,
  appliesOnce: true,
};
