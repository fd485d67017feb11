import type { Why } from '@mosaik/streams';
import type { Holder } from '../pull/holder.ts';
import type { ReplaySource } from './replay.ts';

interface WhyReplayOptions {
  readonly name: string;
  readonly isCaughtUp: boolean;
  readonly minHolders: number;
  readonly holders: readonly Holder[];
  readonly sources: readonly ReplaySource[];
}

/** Why a replay is, or is not, caught up. */
export function whyReplay(options: WhyReplayOptions): Why {
  const { isCaughtUp, holders, sources } = options;
  const facts = {
    holders: holders.length,
    answered: holders.filter(({ state }) => state === 'answered').length,
    refused: holders.filter(({ state }) => state === 'refused').length,
    logs: sources.length,
    caughtUp: sources.filter((source) => source.isCaughtUp).length,
  };
  return { isOnline: isCaughtUp, text: textOf(options, facts), facts };
}

function textOf(
  { name, isCaughtUp, minHolders, holders, sources }: WhyReplayOptions,
  facts: Readonly<Record<string, number>>,
): string {
  if (isCaughtUp) return `caught up: ${facts['logs']} logs of ${facts['holders']} holders`;
  if (holders.length < minHolders)
    return `${holders.length} of ${minHolders} holders of ${name} known: does a node retain it?`;
  const silent = holders.filter(({ state }) => state === 'unanswered');
  if (silent.length > 0)
    return `${silent.length} of ${holders.length} holders have not answered: ${silent[0]?.error?.message ?? 'asked just now'}`;
  if (facts['answered'] === 0) return `all ${holders.length} holders refuse: ${holders[0]?.error?.message}`;
  const behind = sources.filter((source) => !source.isCaughtUp);
  if (behind.length === 0) return `${name} is caught up once it is read to the end`;
  return `${behind.length} of ${sources.length} logs are not caught up: ${behind[0]?.state}`;
}
