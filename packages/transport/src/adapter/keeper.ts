import {
  createBackoff,
  type PeerId,
  type Runtime,
  type Scope,
  sleep,
  toError,
  type Watch,
  withTimeout,
} from '@mosaik/primitives';

/** First retry after up to this; doubles up to {@link MAX_BACKOFF_MS}, each drawn with full jitter. */
const BASE_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;

/** A connection that lasted less counts as a failure: a peer that drops us after each connect is dialled ever later. */
const STABLE_MS = 1_000;

/** The side with the larger id lets the other dial first, so that two that want each other do not cross. */
const COURTESY_MS = 500;

interface KeeperOptions {
  readonly scope: Scope;
  readonly runtime: Runtime;
  readonly self: PeerId;
  readonly connections: Watch<ReadonlyMap<PeerId, unknown>>;
  readonly dialTimeoutMs: number;
  readonly dial: (peer: PeerId, signal: AbortSignal) => Promise<void>;
  readonly onFailed: (peer: PeerId, attempt: number, error: Error) => void;
}

/** Keeps connections to wanted peers: redials whoever is not connected, with backoff and for ever. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #wanted = new Map<PeerId, { holders: number; readonly scope: Scope }>();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Wants `peer` until disposed; wanted twice, it is kept until both are disposed. */
  keep(peer: PeerId): Disposable {
    const wanted = this.#wanted.get(peer) ?? this.#start(peer);
    wanted.holders++;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#release(peer, wanted);
      },
    };
  }

  #start(peer: PeerId): { holders: number; readonly scope: Scope } {
    const wanted = { holders: 0, scope: this.#options.scope.child('keep') };
    this.#wanted.set(peer, wanted);
    wanted.scope.spawn('redial', (signal) => this.#redial(peer, signal));
    return wanted;
  }

  #release(peer: PeerId, wanted: { holders: number; readonly scope: Scope }): void {
    wanted.holders--;
    if (wanted.holders > 0) return;
    if (this.#wanted.get(peer) === wanted) this.#wanted.delete(peer);
    void wanted.scope.close('no longer wanted');
  }

  async #redial(peer: PeerId, signal: AbortSignal): Promise<void> {
    const { runtime, connections } = this.#options;
    const backoff = createBackoff(runtime, { baseMs: BASE_BACKOFF_MS, maxMs: MAX_BACKOFF_MS });
    while (true) {
      if (await this.#connect(peer, backoff.attempts, signal)) {
        const sinceMs = runtime.now();
        await connections.until((live) => !live.has(peer), { signal });
        if (runtime.now() - sinceMs >= STABLE_MS) {
          backoff.reset();
          // All who kept a peer lose it at the same moment, and must not come back at the same moment.
          await sleep(runtime, runtime.random() * BASE_BACKOFF_MS, { signal });
          continue;
        }
      }
      await sleep(runtime, backoff.next(), { signal });
    }
  }

  /** Has a connection, by whichever side made it; false when there is none. */
  async #connect(peer: PeerId, failures: number, signal: AbortSignal): Promise<boolean> {
    const { connections, self } = this.#options;
    if (failures === 0 && self > peer) await this.#courtesy(peer, signal);
    return connections.value.has(peer) || (await this.#try(peer, failures + 1, signal));
  }

  /** Waits for the other side to dial, but not for long. */
  async #courtesy(peer: PeerId, signal: AbortSignal): Promise<void> {
    const { runtime, connections } = this.#options;
    const options = { what: 'being dialled', timeoutMs: COURTESY_MS, signal };
    await withTimeout(runtime, options, (until) =>
      connections.until((live) => live.has(peer), { signal: until }),
    ).catch(() => {});
  }

  async #try(peer: PeerId, attempt: number, signal: AbortSignal): Promise<boolean> {
    const { runtime, dialTimeoutMs } = this.#options;
    try {
      await withTimeout(runtime, { what: 'dialling', timeoutMs: dialTimeoutMs, signal }, (until) =>
        this.#options.dial(peer, until),
      );
      return true;
    } catch (error) {
      if (!signal.aborted) this.#options.onFailed(peer, attempt, toError(error));
      return false;
    }
  }
}
