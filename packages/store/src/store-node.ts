import { type PeerInfo, peerInfo } from '@mosaik/discovery';
import {
  ClosedError,
  createLog,
  createScope,
  InvalidArgumentError,
  type PeerId,
  type Scope,
  type StoreId,
  type StreamId,
  shortId,
  type WaitOptions,
} from '@mosaik/primitives';
import { createLoopback, type StreamDefinition } from '@mosaik/streams';
import type { Link } from '@mosaik/transport';
import type { StoreContext } from './context.ts';
import type { Fold, FoldOptions } from './fold/fold.ts';
import { FoldNode } from './fold/fold-node.ts';
import { FoldHandle } from './fold/handle.ts';
import { foldSettings } from './fold/settings.ts';
import type { LogStore } from './log/log-storage.ts';
import { storeMetrics } from './metrics.ts';
import { ReplayHandle } from './replay/handle.ts';
import type { Replay, ReplayOptions } from './replay/replay.ts';
import { ReplayNode } from './replay/replay-node.ts';
import { replaySettings } from './replay/settings.ts';
import { RetainedHandle } from './retain/handle.ts';
import type { Retained, RetainOptions } from './retain/retained.ts';
import { RetainedNode } from './retain/retained-node.ts';
import { retainSettings } from './retain/settings.ts';
import { LogServer } from './serve/server.ts';
import type { Store, StoreOptions, StoreStats } from './store.ts';
import { foldIdOf, logProtocol } from './wire/protocol.ts';

/** Links that one peer may hold: each of its replays has one for each log, and one for each holder. */
const LIMITS = { maxLinks: 1_024, maxOpensPerSecond: 100 } as const;

/** The registry of what a node keeps and replays, and the door by which others read. */
export class StoreNode implements Store {
  readonly #options: StoreOptions;
  readonly #scope: Scope;
  readonly #context: StoreContext;
  readonly #server: LogServer;
  /** Undefined while it is being opened. */
  readonly #retained = new Map<StreamId, RetainedNode | undefined>();
  readonly #replays = new Map<ReplayNode<unknown>, Replay<unknown>>();
  readonly #folds = new Map<StoreId, FoldNode<unknown, never>>();
  readonly #storages = new Set<LogStore>();
  #closing: Promise<void> | undefined;

  constructor(options: StoreOptions) {
    const { transport, discovery, streams } = options;
    const { runtime, local } = transport;
    const log = createLog('mosaik:store');
    const metrics = storeMetrics(transport.metrics);
    this.#options = options;
    this.#scope = createScope({
      runtime,
      name: 'store',
      onError: (error, where) => {
        log.error('%s: %o', where, error);
        options.onError?.(error, where);
      },
    });
    this.#context = {
      reach: {
        runtime,
        self: local.peerId,
        open: (peer, wait) => this.#open(peer, wait),
        signedMe: () => discovery.signedMe,
      },
      discovery,
      streams,
      metrics,
      log,
      onMisbehaviour: (peer, error) => {
        metrics.misbehaved();
        log.error('%s broke the protocol: %s', shortId(peer), error.message);
      },
    };
    this.#server = new LogServer({
      runtime,
      discovery,
      find: (stream) => this.#retained.get(stream),
      findFold: (fold) => this.#folds.get(fold),
      lookUp: (peer) => this.#lookUp(peer),
      onSent: ({ count, bytes }) => metrics.served(count, bytes.length),
      onDamaged: ({ log: damaged, producer }, { first, next }) =>
        log.error('%d to %d of the log %s of %s are damaged here', first, next, damaged, producer),
      onRefused: (code) => metrics.refused(code),
    });
    const accepting = transport.accept(logProtocol, (link) => this.#server.serve(link), LIMITS);
    this.#scope.onClose(() => accepting[Symbol.dispose]());
    this.#scope.onClose(discovery.watch().subscribe(() => this.#server.reconsider()));
  }

  get stats(): StoreStats {
    return {
      retained: this.#retained.size,
      replays: this.#replays.size,
      folds: this.#folds.size,
      readers: this.#server.readers,
    };
  }

  async retain<In, Out>(definition: StreamDefinition<In, Out>, options: RetainOptions): Promise<Retained> {
    this.#requireOpen();
    const settings = retainSettings(definition, options);
    const { id, name } = definition;
    if (this.#retained.has(id))
      throw new InvalidArgumentError('definition', `${name} is retained here already`);
    this.#retained.set(id, undefined);
    this.#storages.add(settings.storage);
    const node = new RetainedNode({
      definition: definition as unknown as StreamDefinition<never, unknown>,
      settings,
      scope: this.#scope.child(`retain ${shortId(id)}`),
      context: this.#context,
    });
    const release = async (): Promise<void> => {
      this.#retained.delete(id);
      this.#evaluateReplays(id);
      this.#server.withdraw(node);
      await node.close();
    };
    try {
      await node.open();
      this.#requireOpen();
    } catch (error) {
      await release();
      throw error;
    }
    this.#retained.set(id, node);
    this.#evaluateReplays(id);
    return new RetainedHandle(node, release);
  }

  replay<In, Out>(definition: StreamDefinition<In, Out>, options: ReplayOptions = {}): Replay<Out> {
    this.#requireOpen();
    const { id } = definition;
    const settings = replaySettings(id, options);
    const node = new ReplayNode<Out>({
      definition: definition as unknown as StreamDefinition<never, Out>,
      settings,
      scope: this.#scope.child(`replay ${shortId(id)}`),
      discovery: this.#options.discovery,
      reach: this.#context.reach,
      includesSelf: () => this.#retained.get(id) !== undefined,
      onMisbehaviour: this.#context.onMisbehaviour,
    });
    const handle = new ReplayHandle<Out>(node, () => {
      options.signal?.removeEventListener('abort', onAbort);
      this.#replays.delete(node as ReplayNode<unknown>);
      return node.close();
    });
    const onAbort = (): void => void handle.close();
    this.#replays.set(node as ReplayNode<unknown>, handle as Replay<unknown>);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted === true) onAbort();
    return handle;
  }

  fold<In, Out, State>(definition: StreamDefinition<In, Out>, options: FoldOptions<State, Out>): Fold<State> {
    this.#requireOpen();
    const settings = foldSettings(options);
    const id = foldIdOf(definition.id, settings.name, settings.version);
    if (this.#folds.has(id))
      throw new InvalidArgumentError('name', `${settings.name} is folded here already`);
    if (settings.storage !== undefined) this.#storages.add(settings.storage);
    const node = new FoldNode<State, Out>({
      definition: definition as unknown as StreamDefinition<never, Out>,
      settings,
      scope: this.#scope.child(`fold ${settings.name}`),
      context: this.#context,
      replay: (from) => this.replay(definition, { from }),
      isKeptHere: () => this.#retained.get(definition.id) !== undefined,
    });
    const handle = new FoldHandle<State>(node as unknown as FoldNode<State, never>, () => {
      options.signal?.removeEventListener('abort', onAbort);
      this.#folds.delete(id);
      return node.close();
    });
    const onAbort = (): void => void handle.close();
    this.#folds.set(id, node as unknown as FoldNode<unknown, never>);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted === true) onAbort();
    return handle;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all(Array.from(this.#folds.values(), (fold) => fold.close()));
    await Promise.all(Array.from(this.#replays.values(), (replay) => replay.close()));
    for (const node of this.#retained.values()) if (node !== undefined) this.#server.withdraw(node);
    this.#retained.clear();
    await this.#scope.close();
    await Promise.all(Array.from(this.#storages, (storage) => storage.close()));
  }

  /** The catalog does not speak of this node itself. */
  #evaluateReplays(id: StreamId): void {
    for (const node of this.#replays.keys()) if (node.definition.id === id) node.holders.evaluate();
  }

  async #open(peer: PeerId, options: WaitOptions): Promise<Link<Uint8Array>> {
    const { transport } = this.#options;
    const { peerId, network } = transport.local;
    if (peer !== peerId) return transport.open(peer, logProtocol, options);
    const { outbound, inbound } = createLoopback({
      peer,
      network,
      runtime: transport.runtime,
      protocol: logProtocol,
    });
    if (!this.#scope.isClosing) this.#scope.spawn('loopback', () => this.#server.serve(inbound));
    return outbound;
  }

  #lookUp(peer: PeerId): PeerInfo | undefined {
    const { transport, discovery } = this.#options;
    return peer === transport.local.peerId ? peerInfo(discovery.me, 0) : discovery.catalog.get(peer);
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('the store is closed');
  }
}
