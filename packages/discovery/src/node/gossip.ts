import { DecodeError, type Metrics, type PeerId, type Scope } from '@mosaik/primitives';
import type { Topic, TopicMessage, TopicVerdict, Transport } from '@mosaik/transport';
import { decodeGossip, encodeGossip, type GossipMessage } from '../announce/messages.ts';
import { isChange, type Outcome } from '../catalog/intake.ts';
import type { Rumour, RumourVerdict } from '../detector/contract.ts';
import type { EntryVersion } from '../entry/peer-entry.ts';

interface GossipOptions {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly metrics: Metrics;
  readonly onEntry: (bytes: Uint8Array, from: PeerId) => Promise<Outcome>;
  readonly onRumour: (rumour: Rumour) => RumourVerdict;
  readonly onTwice: (peer: PeerId, starts: readonly [number, number]) => void;
  /** Whether a version is further ahead than clocks may differ. */
  readonly isFuture: (version: EntryVersion) => boolean;
}

/** Outcomes of an entry for which the neighbour is to blame: it should not have passed it on. */
const BLAMED: ReadonlySet<Outcome> = new Set(['malformed', 'forged', 'foreign']);

/** The gossip topic of discovery: entries, rumours, and what two processes with one key have to be told. */
export class Gossip {
  readonly #options: GossipOptions;
  readonly #topic: Topic;

  constructor(options: GossipOptions) {
    this.#options = options;
    this.#topic = options.transport.topic('discovery');
  }

  start(): void {
    const subscription = this.#topic.subscribe((message) => this.#judge(message));
    this.#options.scope.onClose(() => subscription[Symbol.dispose]());
  }

  async publish(message: GossipMessage): Promise<void> {
    await this.#topic.publish(encodeGossip(message));
  }

  /** Publishes in the background; what does not get through is made up for by the next comparison. */
  tell(message: GossipMessage): void {
    const { scope } = this.#options;
    if (scope.isClosing) return;
    scope.spawn('gossip', () => this.publish(message));
  }

  #judge({ data, from }: TopicMessage): TopicVerdict | Promise<TopicVerdict> {
    const message = this.#read(data);
    if (message === undefined) return this.#refuse('malformed');
    switch (message.kind) {
      case 'entry':
        return this.#options.onEntry(message.bytes, from).then(verdictOf);
      case 'rumour':
        return this.#judgeRumour(message.rumour);
      case 'twice':
        this.#options.onTwice(message.peer, message.starts);
        return 'accept';
    }
  }

  /** A death at a version that is far ahead would keep its victim out, whatever it says, until the clock gets there. */
  #judgeRumour(rumour: Rumour): TopicVerdict {
    if (this.#options.isFuture(rumour.version)) return this.#refuse('future');
    return this.#options.onRumour(rumour) === 'stale' ? 'ignore' : 'accept';
  }

  #refuse(reason: string): TopicVerdict {
    this.#options.metrics.counter('mosaik.discovery.refused').add(1, { reason });
    return 'reject';
  }

  #read(data: Uint8Array): GossipMessage | undefined {
    try {
      return decodeGossip(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return undefined;
    }
  }
}

function verdictOf(outcome: Outcome): TopicVerdict {
  if (isChange(outcome)) return 'accept';
  return BLAMED.has(outcome) ? 'reject' : 'ignore';
}
