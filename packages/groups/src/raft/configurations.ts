import { decodeConfiguration } from './configuration.ts';
import { invariant } from './invariant.ts';
import type { Configuration, Entry, LogIndex } from './types.ts';

/** A configuration, and where in the log it came into force. */
export interface PlacedConfiguration {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/**
 * The configurations of the log, oldest first. The last one is in force, committed or not (dissertation §4.1).
 *
 * Invariant: never empty; indices rise.
 */
export interface Configurations {
  readonly current: PlacedConfiguration;
  /** The one before, which is in force again if the current one is truncated; undefined if there is none in the log. */
  readonly previous: PlacedConfiguration | undefined;
  /** Takes notice of an entry that was appended; true if it is a configuration. */
  appended(entry: Entry): boolean;
  /** Takes notice of a truncation; true if another configuration is in force now. */
  truncatedFrom(index: LogIndex): boolean;
  /** Which one is in force at an index; undefined for what is forgotten. */
  at(index: LogIndex): Configuration | undefined;
  /** Forgets what was in force only before an index. */
  forgetBefore(index: LogIndex): void;
  /** Starts anew with the one of a snapshot, which replaces what is up to its index, or everything. */
  restart(base: PlacedConfiguration, keepsRest: boolean): void;
}

export function createConfigurations(base: PlacedConfiguration, entries: readonly Entry[]): Configurations {
  let all: PlacedConfiguration[] = [base];
  const appended = (entry: Entry): boolean => {
    if (entry.kind !== 'configuration') return false;
    const configuration = decodeConfiguration(entry.data);
    invariant(configuration !== undefined, `entry ${entry.index} is not a configuration`);
    all.push({ index: entry.index, configuration });
    return true;
  };
  for (const entry of entries) appended(entry);
  return {
    get current() {
      return all[all.length - 1] as PlacedConfiguration;
    },
    get previous() {
      return all[all.length - 2];
    },
    appended,
    truncatedFrom(index) {
      const kept = all.filter((each) => each.index < index);
      const isChanged = kept.length < all.length;
      invariant(kept.length > 0, `the configuration at ${index} was not to be truncated`);
      all = kept;
      return isChanged;
    },
    at: (index) => all.findLast((each) => each.index <= index)?.configuration,
    forgetBefore(index) {
      const first = all.findLastIndex((each) => each.index <= index);
      if (first > 0) all = all.slice(first);
    },
    restart(fresh, keepsRest) {
      all = [fresh, ...(keepsRest ? all.filter((each) => each.index > fresh.index) : [])];
    },
  };
}
