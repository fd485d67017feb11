import { type GossipSub, type Message, TopicValidatorResult } from '@libp2p/gossipsub';
import type { PeerId as Libp2pPeerId } from '@libp2p/interface';
import {
  InvalidArgumentError,
  type Metrics,
  type NetworkId,
  type PeerId,
  type Runtime,
} from '@mosaik/primitives';
import { FrameTooLargeError } from '../errors.ts';
import type { Topic, TopicHandler, TopicVerdict } from '../transport.ts';
import { fromLibp2pPeerId } from './identity.ts';

/** Every message begins with a nonce, its id: the same content can be said twice. */
const NONCE_BYTES = 16;

/** Well below what gossipsub drops without an error (4 MiB). */
const MAX_TOPIC_BYTES = 1024 * 1024;

const RESULT_OF: Record<TopicVerdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

/** The id of a gossip message: its nonce, or all of what is too short to have one (and will be rejected). */
export function gossipMessageId(data: Uint8Array): Uint8Array {
  return data.subarray(0, NONCE_BYTES);
}

interface TopicsOptions {
  readonly gossip: GossipSub;
  readonly network: NetworkId;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly onError: (error: unknown) => void;
}

/** The gossip topics of a network. */
export class Topics {
  readonly #options: TopicsOptions;
  readonly #topics = new Map<string, Topic>();

  constructor(options: TopicsOptions) {
    this.#options = options;
  }

  get(name: string): Topic {
    const known = this.#topics.get(name);
    if (known) return known;
    const topic = createTopic(name, this.#options);
    this.#topics.set(name, topic);
    return topic;
  }
}

function createTopic(name: string, { gossip, network, runtime, metrics, onError }: TopicsOptions): Topic {
  const id = `/mosaik/${network}/${name}`;
  const received = metrics.counter('mosaik.topic.received', { description: 'gossip messages, by verdict' });
  const published = metrics.counter('mosaik.topic.published', {
    description: 'gossip messages sent by this node',
  });

  const judge = async (
    handler: TopicHandler,
    from: Libp2pPeerId,
    message: Message,
  ): Promise<TopicVerdict> => {
    const peer = fromLibp2pPeerId(from);
    if (peer === undefined || message.data.length < NONCE_BYTES) return 'reject';
    try {
      const data = new Uint8Array(message.data.buffer, message.data.byteOffset, message.data.byteLength);
      return await handler({ data: data.subarray(NONCE_BYTES), from: peer });
    } catch (error) {
      onError(error);
      return 'ignore';
    }
  };

  return {
    name,
    get peers(): readonly PeerId[] {
      return gossip.getSubscribers(id).flatMap((peer) => fromLibp2pPeerId(peer) ?? []);
    },
    async publish(data) {
      if (data.length > MAX_TOPIC_BYTES) throw new FrameTooLargeError(data.length, MAX_TOPIC_BYTES);
      const message = new Uint8Array(NONCE_BYTES + data.length);
      message.set(runtime.randomBytes(NONCE_BYTES));
      message.set(data, NONCE_BYTES);
      published.add(1, { topic: name });
      const { recipients } = await gossip.publish(id, message);
      return recipients.length;
    },
    subscribe(handler) {
      if (gossip.topicValidators.has(id))
        throw new InvalidArgumentError('topic', `${name} has a subscriber already`);
      gossip.topicValidators.set(id, async (from, message) => {
        const verdict = await judge(handler, from, message);
        received.add(1, { topic: name, verdict });
        return RESULT_OF[verdict];
      });
      gossip.subscribe(id);
      return {
        [Symbol.dispose]: () => {
          gossip.unsubscribe(id);
          gossip.topicValidators.delete(id);
        },
      };
    },
  };
}
