/**
 * What the gate measures: one of each kind of work, all with a peer on the same machine, in a few minutes. Results that are
 * absolute, or that vary by more than they tell (tails, failover), are not among them.
 */
export const SELECTION: readonly string[] = [
  'link/100B',
  'link/64KiB',
  'discovery/sync-bytes',
  'streams/1to1-75B',
  'streams/1to8-75B',
  'streams/1to1-64KiB-libp2p',
  'streams/rtt-p50',
  'groups/memory-pipelined',
  'groups/memory-p50',
  'groups/sqlite-pipelined',
  'store/append-fsync',
  'store/replay',
];

/** How often a session of the gate takes each measurement. */
export const GATE_RUNS = 5;
/** How many sessions are recorded: what differs between these is noise. */
export const SESSIONS = 5;
