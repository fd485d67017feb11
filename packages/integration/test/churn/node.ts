import type { PeerId } from '@mosaik/primitives';
import { type CrashMode, createDisk, type Disk, type Host } from '@mosaik/testing';
import type { Transport } from '@mosaik/transport';
import { Network } from 'mosaik';
import type { Churn } from './churn.ts';

/** One life of the program on a host. */
export interface Life {
  readonly churn: Churn;
  readonly node: Node;
  readonly network: Network;
  /** Fires when the load is to stop: at a crash, and before it leaves. */
  readonly signal: AbortSignal;
  /** Whatever of it is still awaited says nothing any more. */
  readonly hasCrashed: boolean;
}

/** Something that a node does in each of its lives. */
export interface Part {
  begin(life: Life): Promise<void> | void;
}

/** In virtual time; a group that cannot let its member go takes five seconds of it. */
const LEAVES_WITHIN_MS = 15_000;

/** A host, and the whole stack on it, which starts, crashes, leaves, and starts again. */
export class Node {
  readonly host: Host;
  readonly disk: Disk;
  readonly parts: Part[] = [];
  network: Network | undefined;
  readonly #churn: Churn;
  #transport: Transport | undefined;
  #peer = '' as PeerId;
  #life: { readonly stop: AbortController; hasCrashed: boolean } | undefined;

  constructor(churn: Churn, name: string) {
    this.#churn = churn;
    const { runtime } = churn.world;
    const clock = { skewMs: 4_000 * (runtime.random() - 0.5), driftPpm: 400 * (runtime.random() - 0.5) };
    this.host = churn.world.host(name, clock);
    this.disk = createDisk(this.host, { runtime, syncMs: churn.plan.syncMs });
  }

  /** Who it is in the network: the same in all its lives. Empty before the first. */
  get peer(): PeerId {
    return this.#peer;
  }

  /** It runs, and all that it does has begun. */
  get isUp(): boolean {
    return this.network !== undefined;
  }

  async start(bootstrap: readonly string[]): Promise<void> {
    this.host.restart();
    const stop = new AbortController();
    const state = { stop, hasCrashed: false };
    this.#life = state;
    const transport = this.host.transport();
    this.#transport = transport;
    this.#peer = transport.local.peerId;
    const network = await Network.create('churn', { transport, bootstrap });
    const life: Life = {
      churn: this.#churn,
      node: this,
      network,
      signal: stop.signal,
      get hasCrashed() {
        return state.hasCrashed;
      },
    };
    for (const part of this.parts) await part.begin(life);
    this.network = network;
  }

  crash(mode: CrashMode): void {
    this.network = undefined;
    if (this.#life !== undefined) this.#life.hasCrashed = true;
    this.#life?.stop.abort();
    this.host.crash({ mode });
  }

  /** Stops its load, says goodbye, and ends. */
  async leave(): Promise<void> {
    const { network } = this;
    this.network = undefined;
    this.#life?.stop.abort();
    const begunMs = this.#churn.world.now;
    const left = this.#end(network);
    const isLate = await Promise.race([
      left.then(() => false),
      this.#churn.world.sleep(LEAVES_WITHIN_MS).then(() => true),
    ]);
    if (isLate) throw new Error(`${this.host.name} has not left in ${LEAVES_WITHIN_MS} ms`);
    this.#churn.note(`${this.host.name} has left, in ${(this.#churn.world.now - begunMs).toFixed(0)} ms`);
  }

  async #end(network: Network | undefined): Promise<void> {
    await network?.close();
    await this.#transport?.close();
  }
}
