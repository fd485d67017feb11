import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Status } from '../contract.ts';
import { MATCHERS } from './cast.ts';

/** What is shown while the demo runs: lines, one after the other, that are never taken back. */
export interface Screen {
  event(text: string, tone?: Tone): void;
  /** How it stands. */
  standing(statuses: ReadonlyMap<string, Status>): void;
  topology(statuses: ReadonlyMap<string, Status>): void;
}

export type Tone = 'plain' | 'good' | 'bad' | 'loud';

const STYLES = { plain: 'reset', good: 'green', bad: 'red', loud: 'yellow' } as const;

/** Colours a text, or leaves it as it is. */
export type Painter = (text: string, tone: Tone) => string;

/** Colours where there is a terminal that has some, and `NO_COLOR` does not forbid it. */
export function painterOf(stream: Writable): Painter {
  const isTerminal = 'isTTY' in stream && stream.isTTY === true;
  return (text, tone) => (tone === 'plain' || !isTerminal ? text : styleText(STYLES[tone], text, { stream }));
}

/** Shows nothing. */
export const silent: Screen = { event() {}, standing() {}, topology() {} };

export function createScreen(options: {
  readonly stdout: Writable;
  readonly startMs: number;
  readonly now: () => number;
}): Screen {
  const { stdout, startMs, now } = options;
  const paint = painterOf(stdout);
  const line = (text: string, tone: Tone = 'plain'): void => {
    const seconds = ((now() - startMs) / 1000).toFixed(1).padStart(5);
    stdout.write(`${seconds} s  ${paint(text, tone)}\n`);
  };
  return {
    event: line,
    standing(statuses) {
      if (statuses.size > 0) line(standingOf(statuses));
    },
    topology(statuses) {
      for (const text of topologyOf(statuses)) line(text);
    },
  };
}

function sumOf(
  statuses: ReadonlyMap<string, Status>,
  field: 'sent' | 'acknowledged' | 'executed' | 'reported',
): number {
  let sum = 0;
  for (const status of statuses.values()) sum += status[field] ?? 0;
  return sum;
}

function standingOf(statuses: ReadonlyMap<string, Status>): string {
  const counts = Array.from(statuses.values(), ({ topology }) => topology.peers.length);
  const catalogs = `each knows ${Math.min(...counts)}–${Math.max(...counts)} others`;
  const reported = [...statuses].filter(([, { reported }]) => reported !== undefined);
  const views = reported.map(([, status]) => status.reported).join(', ');
  return [
    `${statuses.size} processes, ${catalogs}`,
    leadershipOf(statuses),
    `orders sent ${sumOf(statuses, 'sent')}, acknowledged ${sumOf(statuses, 'acknowledged')}`,
    `fills in the views ${views === '' ? '–' : views}`,
  ].join(' · ');
}

/** The name of the matcher that most members take for their leader. */
export function leaderIn(statuses: ReadonlyMap<string, Status>): string | undefined {
  const votes = new Map<string, number>();
  for (const { topology } of statuses.values()) {
    const leader = topology.group?.leader;
    if (leader !== undefined) votes.set(leader, (votes.get(leader) ?? 0) + 1);
  }
  const [peer] = [...votes].sort(([, a], [, b]) => b - a)[0] ?? [];
  return MATCHERS.find(({ name }) => peer !== undefined && statuses.get(name)?.peer === peer)?.name;
}

function leadershipOf(statuses: ReadonlyMap<string, Status>): string {
  const leader = leaderIn(statuses);
  const group = statuses.get(leader ?? '')?.topology.group;
  return group === undefined
    ? 'the matchers have no leader'
    : `${leader} leads in term ${group.term}, ${group.voters} vote`;
}

function topologyOf(statuses: ReadonlyMap<string, Status>): string[] {
  const named = (role: string): string =>
    [...statuses.keys()].filter((name) => name.startsWith(role)).join(', ');
  return [
    `   ${named('trader')}`,
    '      │ orders: commands of a group, exactly once',
    `   ${named('matcher')}   ${leadershipOf(statuses)}`,
    '      │ fills: a stream, kept and replayed',
    `   ${named('reporter')}`,
  ];
}
