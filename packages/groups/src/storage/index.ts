/** Logs: where the term, the vote, the entries and the snapshot of a member live. */
export * from './errors.ts';
export type { SnapshotManifest } from './manifest.ts';
export { memory } from './memory.ts';
export type * from './storage.ts';
