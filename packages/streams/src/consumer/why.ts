import { StreamCode } from '../codes.ts';
import type { When } from '../conditions/when.ts';
import type { Why } from '../why.ts';
import type { Subscription } from './subscription.ts';

/** How a consumer stands. */
interface ConsumerState {
  readonly isClosed: boolean;
  readonly isOnline: boolean;
  readonly subscriptions: readonly Subscription[];
  readonly counts: { readonly known: number; readonly wanted: number };
  readonly when: When;
}

/** Why a consumer is, or is not, online. */
export function whyConsumer(node: ConsumerState): Why {
  const { known, wanted } = node.counts;
  const { subscriptions } = node;
  const facts = {
    known,
    unwanted: known - Math.min(known, wanted),
    live: subscriptions.filter(({ state }) => state === 'live').length,
    connecting: subscriptions.filter(({ state, failures }) => state !== 'live' && failures === 0).length,
    refused: subscriptions.filter(({ lastCode }) => lastCode === StreamCode.NotAllowed).length,
    noCapacity: subscriptions.filter(({ lastCode }) => lastCode === StreamCode.NoCapacity).length,
    failing: subscriptions.filter(({ state, failures }) => state !== 'live' && failures > 0).length,
  };
  if (node.isClosed) return { isOnline: false, text: 'closed', facts };
  const isOnline = node.isOnline;
  const state = isOnline ? 'online' : `offline: needs ${node.when.online().description}`;
  return { isOnline, text: [state, ...reasons(facts, node)].join('; '), facts };
}

function reasons(facts: Record<string, number>, node: ConsumerState): string[] {
  const {
    known = 0,
    unwanted = 0,
    live = 0,
    connecting = 0,
    refused = 0,
    noCapacity = 0,
    failing = 0,
  } = facts;
  const others = failing - refused - noCapacity;
  const error = node.subscriptions.find(({ failures }) => failures > 0)?.view().stats.lastError;
  const said: readonly (readonly [boolean, string])[] = [
    [known === 0, 'no producer known: start one, or wait until its announcement has come'],
    [known > 0, `${plural(known, 'producer')} known, ${live} subscribed`],
    [unwanted > 0, `${unwanted} refused by subscribeIf: admit them there`],
    [connecting > 0, `${connecting} being subscribed to`],
    [refused > 0, `${refused} did not admit this node: see acceptIf there`],
    [noCapacity > 0, `${noCapacity} had no capacity: raise maxConsumers there`],
    [others > 0, `${others} failing: ${error ?? 'unknown'}`],
  ];
  return said.filter(([isSo]) => isSo).map(([, text]) => text);
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
