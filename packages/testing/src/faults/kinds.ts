import type { PacketDelay, Path, Place } from '../network/path.ts';
import type { Rule } from './rule.ts';

/** A set of hosts. */
export interface Region {
  has(place: Place): boolean;
}

/** How much slower a way gets. */
export interface Slowness {
  /** Added to the latency, in milliseconds. */
  readonly latencyMs?: number;
  /** Added to the jitter, in milliseconds. */
  readonly jitterMs?: number;
  /** At most this many bytes a second. */
  readonly bytesPerSecond?: number;
}

/** Blocks between any two hosts that are each in some group and in none together. */
export function partition(groups: readonly Region[]): Rule {
  const isCut = (from: Place, to: Place): boolean => {
    if (from === to) return false;
    const ofFrom = groups.filter((group) => group.has(from));
    const isToNamed = groups.some((group) => group.has(to));
    return ofFrom.length > 0 && isToNamed && !ofFrom.some((group) => group.has(to));
  };
  return {
    stage: 'partition',
    refine(path, from, to) {
      if (isCut(from, to)) path.blocked = true;
    },
  };
}

/** Blocks one direction. */
export function oneWay(blockedFrom: Region, blockedTo: Region): Rule {
  return {
    stage: 'partition',
    refine(path, from, to) {
      if (from !== to && blockedFrom.has(from) && blockedTo.has(to)) path.blocked = true;
    },
  };
}

/** Slows the way between two regions, both ways. */
export function slower(a: Region, b: Region, by: Slowness): Rule {
  return {
    stage: 'slow',
    refine(path, from, to) {
      if (!((a.has(from) && b.has(to)) || (b.has(from) && a.has(to)))) return;
      path.latencyMs += by.latencyMs ?? 0;
      path.jitterMs += by.jitterMs ?? 0;
      path.bytesPerSecond = Math.min(path.bytesPerSecond, by.bytesPerSecond ?? Number.POSITIVE_INFINITY);
    },
  };
}

/** Delays a share of packets. */
export function shareOfPackets(delay: PacketDelay, among: Region | undefined): Rule {
  return within(among, 'delay', (path) => {
    path.delays = [...path.delays, delay];
  });
}

/** Resets connections now and then. */
export function lossOfConnections(perMinute: number, among: Region | undefined): Rule {
  // Each connection uses two ways, there and back.
  return within(among, 'loss', (path) => {
    path.connectionLossesPerMinute += perMinute / 2;
  });
}

function within(among: Region | undefined, stage: Rule['stage'], change: (path: Path) => void): Rule {
  return {
    stage,
    refine(path, from, to) {
      if (among === undefined || (among.has(from) && among.has(to))) change(path);
    },
  };
}
