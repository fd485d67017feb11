/**
 * `@mosaik/groups/sqlite-kit`: what everything of mosaik that keeps data in SQLite is made of: a worker thread and the way to
 * it, the mark that tells a crash from damage, the failures by name, the points at which tests end the process. For the
 * packages of mosaik, which use it of the same release; not for users.
 */
export { FailureError, failureOf, failureOfOurs, type KitFailure } from './failure.ts';
export { type FormatOptions, isNewDatabase, numberOf, rollBack } from './format.ts';
export { type HoldPoint, holderAt } from './hold.ts';
export { Mark, type MarkContent, markPath, readMark, syncFile, syncFolderOf } from './mark.ts';
export { type KillPoint, killerAt } from './points.ts';
export { programBeside, WorkerClient } from './worker-client.ts';
export { type Reply, type Request, serve } from './worker-server.ts';
export { WorkerShelf } from './worker-shelf.ts';
