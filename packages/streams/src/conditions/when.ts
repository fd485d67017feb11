import { type Condition, createCondition } from '@mosaik/primitives';
import type { SubscribedCondition } from './subscription-condition.ts';

/** What can be waited for at a producer or a consumer. */
export interface When {
  /** `onlineWhen` holds. */
  online(): Condition;
  /** `onlineWhen` does not hold. */
  offline(): Condition;
  /** At least one subscription is live; to be narrowed by `minimumOf`, `withTags`, `where`. */
  subscribed(): SubscribedCondition;
  /** No subscription is live. */
  unsubscribed(): Condition;
}

/** Says when a producer or consumer counts as online, in terms of its subscriptions. */
export type OnlineWhen = (subscribed: SubscribedCondition) => Condition;

/** Makes the conditions of one end; `onlineWhen` is asked once. */
export function createWhen(subscribed: SubscribedCondition, onlineWhen: OnlineWhen | undefined): When {
  const online = onlineWhen?.(subscribed) ?? subscribed;
  const none = createCondition({
    check: () => !subscribed.isMet,
    subscribe: (listener) => subscribed.subscribe(listener),
    ended: () => subscribed.ended,
    description: `no ${subscribed.description.replace('at least 1 ', '')}`,
  });
  return {
    online: () => online,
    offline: () => online.unmet(),
    subscribed: () => subscribed,
    unsubscribed: () => none,
  };
}
