/**
 * `@mosaik/testing`: a deterministic simulator. A {@link World} has hosts, a network between them and virtual time; a
 * test runs in it as an ordinary async function, with faults as it pleases, and the same seed gives the same run.
 * The compliance suites that every implementation of a seam has to pass are in `@mosaik/testing/compliance`, a checker of
 * histories in `@mosaik/testing/linearizability`.
 */
export type { ClockOptions } from './clock/host-clock.ts';
export {
  createDisk,
  type Damage,
  type Disk,
  DiskError,
  type DiskMount,
  type DiskOptions,
} from './disk/disk.ts';
export type { Fault, Faults, LatePackets, LostConnections } from './faults/faults.ts';
export type { Slowness } from './faults/kinds.ts';
export type { Rule, Stage } from './faults/rule.ts';
export type { NetworkOptions, PacketDelay, Path, PathOptions, Place } from './network/path.ts';
export type { GossipStats } from './transport/gossip.ts';
export type { SimTransportOptions } from './transport/options.ts';
export type { RunOptions } from './world/driver.ts';
export { DeadlockError, LeakError, LimitExceededError, SimulationError } from './world/errors.ts';
export type { Crash, CrashMode, Host, HostOptions } from './world/host.ts';
export type { TraceView } from './world/trace.ts';
export type { UntilOptions } from './world/waits.ts';
export {
  createWorld,
  type HostError,
  type World,
  type WorldOptions,
  type WorldStats,
} from './world/world.ts';
