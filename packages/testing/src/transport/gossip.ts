import { InvalidArgumentError, type PeerId, type Runtime, type Scope } from '@mosaik/primitives';
import {
  FrameTooLargeError,
  type Topic,
  type TopicHandler,
  type TopicMessage,
  type TopicVerdict,
} from '@mosaik/transport';
import type { ConnectionSide } from '../network/connection.ts';
import type { Endpoint, GossipFrame, GossipMessage } from '../network/endpoint.ts';
import { Mesh } from './mesh.ts';
import { RecentMessages } from './recent-messages.ts';
import { SeenCache } from './seen-cache.ts';

const MAX_TOPIC_BYTES = 1024 * 1024;
/** Ids, topic and framing of a gossip message. */
const MESSAGE_OVERHEAD_BYTES = 100;
const CONTROL_BYTES = 80;
const ID_BYTES = 16;

/** What gossip cost, over all hosts. */
export interface GossipStats {
  /** Messages handed to a neighbour, copies included. */
  messages: number;
  bytes: number;
  /** Copies that had been seen already. */
  duplicates: number;
  /** Messages that a subscriber rejected. */
  rejected: number;
  /** Gives each message an id of its own. */
  lastId: number;
}

interface GossipOptions {
  readonly self: Endpoint;
  readonly runtime: Runtime;
  readonly scope: Scope;
  readonly stats: GossipStats;
  readonly onError: (error: unknown) => void;
}

type Handler = TopicHandler;

/** What this node does about one topic. */
interface OwnTopic {
  handler: Handler | undefined;
  readonly mesh: Mesh;
  readonly recent: RecentMessages;
}

/**
 * Gossip of one node, as gossipsub does it as seen from above: the author sends to every neighbour that subscribed
 * (flood publishing), others forward what their subscriber accepts along a mesh of bounded degree and tell some of the
 * other neighbours what they have (IHAVE/IWANT), and a node handles a message once within two minutes.
 *
 * Left out: peer scoring (a rejected message is counted, its sender is not punished), peer exchange, opportunistic
 * grafting, the suppression of large duplicates (IDONTWANT); and heartbeats come only while there is something to do.
 */
export class Gossip {
  readonly #options: GossipOptions;
  readonly #topics = new Map<string, OwnTopic>();
  readonly #handles = new Map<string, Topic>();
  readonly #neighbours = new Map<PeerId, ConnectionSide>();
  /** What each neighbour has subscribed to. */
  readonly #subscriptions = new Map<PeerId, Set<string>>();
  readonly #seen: SeenCache;

  constructor(options: GossipOptions) {
    this.#options = options;
    this.#seen = new SeenCache(options.runtime);
  }

  topic(name: string): Topic {
    const known = this.#handles.get(name);
    if (known) return known;
    const gossip = this;
    const handle: Topic = {
      name,
      get peers() {
        return gossip.#subscribers(name);
      },
      publish: async (data) => this.#publish(name, data),
      subscribe: (handler) => this.#subscribe(name, handler),
    };
    this.#handles.set(name, handle);
    return handle;
  }

  connected(side: ConnectionSide): void {
    this.#neighbours.set(side.peer, side);
    this.#subscriptions.set(side.peer, new Set());
    for (const [topic, own] of this.#topics) {
      if (own.handler) this.#tell(side, { type: 'subscribe', topic });
    }
  }

  disconnected(side: ConnectionSide): void {
    this.#neighbours.delete(side.peer);
    this.#subscriptions.delete(side.peer);
    for (const { mesh } of this.#topics.values()) mesh.gone(side.peer);
  }

  heard(side: ConnectionSide, frame: GossipFrame): void {
    const { peer } = side;
    const mesh = this.#topics.get(frame.topic)?.mesh;
    switch (frame.type) {
      case 'subscribe':
        this.#subscriptions.get(peer)?.add(frame.topic);
        mesh?.subscribed(peer);
        break;
      case 'unsubscribe':
        this.#subscriptions.get(peer)?.delete(frame.topic);
        mesh?.gone(peer);
        break;
      case 'graft':
        if (this.#topics.get(frame.topic)?.handler) mesh?.grafted(peer);
        else this.#tell(side, { type: 'prune', topic: frame.topic });
        break;
      case 'prune':
        mesh?.pruned(peer);
        break;
      case 'publish':
        this.#receive(side, frame.message);
        break;
      case 'ihave':
        this.#want(side, frame.topic, frame.ids);
        break;
      case 'iwant':
        this.#give(peer, frame.topic, frame.ids);
        break;
    }
  }

  #subscribers(topic: string): PeerId[] {
    return [...this.#neighbours.keys()].filter((peer) => this.#subscriptions.get(peer)?.has(topic));
  }

  #publish(topic: string, data: Uint8Array): number {
    if (data.length > MAX_TOPIC_BYTES) throw new FrameTooLargeError(data.length, MAX_TOPIC_BYTES);
    if (!this.#options.self.process.isAlive) return 0;
    const { stats } = this.#options;
    const message: GossipMessage = { id: ++stats.lastId, topic, data: data.slice() };
    this.#seen.add(message.id);
    this.#topics.get(topic)?.recent.add(message);
    const targets = this.#subscribers(topic);
    for (const peer of targets) this.#send(peer, message);
    return targets.length;
  }

  #subscribe(topic: string, handler: Handler): Disposable {
    const own = this.#own(topic);
    if (own.handler) throw new InvalidArgumentError('topic', `${topic} has a subscriber already`);
    own.handler = handler;
    for (const side of this.#neighbours.values()) this.#tell(side, { type: 'subscribe', topic });
    own.mesh.join();
    return {
      [Symbol.dispose]: () => {
        if (own.handler !== handler) return;
        own.handler = undefined;
        own.mesh.leave();
        for (const side of this.#neighbours.values()) this.#tell(side, { type: 'unsubscribe', topic });
      },
    };
  }

  #own(topic: string): OwnTopic {
    const known = this.#topics.get(topic);
    if (known) return known;
    const { runtime, scope } = this.#options;
    const tellPeer = (peer: PeerId, frame: GossipFrame): void => {
      const side = this.#neighbours.get(peer);
      if (side) this.#tell(side, frame);
    };
    const mesh = new Mesh({
      runtime,
      scope,
      candidates: () => this.#subscribers(topic),
      graft: (peer) => tellPeer(peer, { type: 'graft', topic }),
      prune: (peer) => tellPeer(peer, { type: 'prune', topic }),
    });
    const recent = new RecentMessages({
      runtime,
      scope,
      listeners: () => this.#subscribers(topic).filter((peer) => !mesh.has(peer)),
      tell: (peer, ids) => tellPeer(peer, { type: 'ihave', topic, ids }),
    });
    const own: OwnTopic = { handler: undefined, mesh, recent };
    this.#topics.set(topic, own);
    return own;
  }

  #receive(side: ConnectionSide, message: GossipMessage): void {
    const own = this.#topics.get(message.topic);
    const { stats } = this.#options;
    if (!own?.handler) return;
    if (!this.#seen.add(message.id)) {
      stats.duplicates++;
      return;
    }
    side.process.scheduler.trace.bytes('gossip', message.data);
    void this.#judge(own.handler, { data: message.data.slice(), from: side.peer }).then((verdict) => {
      if (verdict === 'reject') stats.rejected++;
      if (verdict === 'accept') this.#forward(own, side.peer, message);
    });
  }

  #forward(own: OwnTopic, from: PeerId, message: GossipMessage): void {
    own.recent.add(message);
    for (const peer of own.mesh.peers) {
      if (peer !== from) this.#send(peer, message);
    }
  }

  /** Asks for what is offered and has not been here. */
  #want(side: ConnectionSide, topic: string, offered: readonly number[]): void {
    if (!this.#topics.get(topic)?.handler) return;
    const ids = offered.filter((id) => !this.#seen.has(id));
    if (ids.length > 0) this.#tell(side, { type: 'iwant', topic, ids });
  }

  #give(peer: PeerId, topic: string, ids: readonly number[]): void {
    const recent = this.#topics.get(topic)?.recent;
    for (const id of ids) {
      const message = recent?.get(id);
      if (message) this.#send(peer, message);
    }
  }

  async #judge(handler: Handler, message: TopicMessage): Promise<TopicVerdict> {
    try {
      return await handler(message);
    } catch (error) {
      this.#options.onError(error);
      return 'ignore';
    }
  }

  #send(peer: PeerId, message: GossipMessage): void {
    const side = this.#neighbours.get(peer);
    if (side === undefined) return;
    const bytes = message.data.length + MESSAGE_OVERHEAD_BYTES;
    this.#options.stats.messages++;
    this.#options.stats.bytes += bytes;
    this.#transmit(side, bytes, { type: 'publish', topic: message.topic, message });
  }

  #tell(side: ConnectionSide, frame: GossipFrame): void {
    const idBytes = 'ids' in frame ? frame.ids.length * ID_BYTES : 0;
    this.#transmit(side, CONTROL_BYTES + idBytes, frame);
  }

  /** All of gossip is one stream, so that a graft does not overtake a subscription. */
  #transmit(side: ConnectionSide, bytes: number, frame: GossipFrame): void {
    side.transmit('bulk', bytes, () => side.other.endpoint.heard(side.other, frame));
  }
}
