import type { PeerInfo } from '@mosaik/discovery';
import {
  type Condition,
  InvalidArgumentError,
  type Scope,
  type WatchSource,
  watchCondition,
} from '@mosaik/primitives';
import { callUser } from '../user-code.ts';

/** The peers that subscriptions are live with, and when that may have changed. */
export interface Subscribers {
  /** One per subscription; with what the catalog says of them now. */
  readonly peers: () => Iterable<PeerInfo>;
  /** Changes when subscriptions come or go, and when the catalog says something else of a peer; ends with them. */
  readonly changes: WatchSource<unknown>;
  /** What that end means, for people. */
  readonly closed: string;
  /** Whose owner hears of predicates that throw. */
  readonly scope: Scope;
}

/** Which subscriptions count, and how many there must be. */
interface Wanted {
  readonly minimum: number;
  readonly tags: readonly string[];
  readonly predicates: readonly ((peer: PeerInfo) => boolean)[];
}

/** Met while enough subscriptions are live; narrowed step by step, each step a condition of its own. */
export interface SubscribedCondition extends Condition {
  /** At least `count` subscriptions; 1 unless said. 0 is always met. */
  minimumOf(count: number): SubscribedCondition;
  /** Only subscriptions of peers that carry all of these tags count; a peer whose tags change may count no more. */
  withTags(...tags: string[]): SubscribedCondition;
  /** Only subscriptions of peers for which `predicate` holds count. */
  where(predicate: (peer: PeerInfo) => boolean): SubscribedCondition;
}

const ONE: Wanted = { minimum: 1, tags: [], predicates: [] };

/** At least one subscription. `whom` names the other side in descriptions: `consumer` or `producer`. */
export function subscribedCondition(
  subscribers: Subscribers,
  whom: string,
  wanted: Wanted = ONE,
): SubscribedCondition {
  const narrowed = (change: Partial<Wanted>): SubscribedCondition =>
    subscribedCondition(subscribers, whom, { ...wanted, ...change });
  const condition = watchCondition({
    watch: subscribers.changes,
    check: () => countOf(subscribers, wanted) >= wanted.minimum,
    description: describe(whom, wanted),
    closed: subscribers.closed,
  });
  return Object.assign(condition, {
    minimumOf: (count: number) => narrowed({ minimum: checkedCount(count) }),
    withTags: (...tags: string[]) => narrowed({ tags: [...wanted.tags, ...tags] }),
    where: (predicate: (peer: PeerInfo) => boolean) =>
      narrowed({ predicates: [...wanted.predicates, predicate] }),
  });
}

function countOf(subscribers: Subscribers, { minimum, tags, predicates }: Wanted): number {
  let count = 0;
  const { scope } = subscribers;
  const satisfies = (peer: PeerInfo): boolean =>
    callUser(scope, 'where', { call: () => predicates.every((holds) => holds(peer)), otherwise: false });
  for (const peer of subscribers.peers()) {
    if (count >= minimum) break;
    if (tags.every((tag) => peer.hasTag(tag)) && satisfies(peer)) count++;
  }
  return count;
}

function describe(whom: string, { minimum, tags, predicates }: Wanted): string {
  const tagged = tags.length === 0 ? '' : ` with ${tags.length === 1 ? 'tag' : 'tags'} ${tags.join(', ')}`;
  const filtered = predicates.length === 0 ? '' : ' that satisfy the predicate';
  return `at least ${minimum} ${whom}${minimum === 1 ? '' : 's'}${tagged}${filtered}`;
}

function checkedCount(count: number): number {
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new InvalidArgumentError('minimumOf', `a whole number of 0 or more, not ${count}`);
}
