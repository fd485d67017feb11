import { StreamCode } from '../codes.ts';
import type { When } from '../conditions/when.ts';
import type { Why } from '../why.ts';
import type { Channel } from './channel.ts';
import type { RefusedPeers } from './refused-peers.ts';

/** How a producer stands. */
interface ProducerState {
  readonly isClosed: boolean;
  readonly isOnline: boolean;
  readonly channels: ReadonlySet<Channel>;
  readonly refused: RefusedPeers;
  readonly when: When;
}

/** Why a producer is, or is not, online. */
export function whyProducer(node: ProducerState): Why {
  const subscribed = node.channels.size;
  const notAllowed = node.refused.countOf(StreamCode.NotAllowed);
  const noCapacity = node.refused.countOf(StreamCode.NoCapacity);
  const facts = { subscribed, notAllowed, noCapacity };
  if (node.isClosed) return { isOnline: false, text: 'closed', facts };
  if (node.isOnline)
    return { isOnline: true, text: `online: ${plural(subscribed, 'consumer')} subscribed`, facts };
  const reasons = [
    `offline: needs ${node.when.online().description}, ${subscribed === 0 ? 'none' : subscribed} subscribed`,
    ...(notAllowed > 0 ? [`${notAllowed} refused by acceptIf: admit them there`] : []),
    ...(noCapacity > 0 ? [`${noCapacity} refused for lack of capacity: raise maxConsumers`] : []),
  ];
  return { isOnline: false, text: reasons.join('; '), facts };
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
