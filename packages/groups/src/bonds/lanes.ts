import { type PeerId, type Scope, withTimeout } from '@mosaik/primitives';
import type { Link, Transport } from '@mosaik/transport';
import { GroupCode } from '../codes.ts';
import type { Carrier } from './carrier.ts';
import { laneProtocol } from './protocol.ts';

interface LanesOptions {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly timeoutMs: number;
  readonly linksPerPeerMax: number;
  /** The carrier that a lane with this token belongs to. */
  readonly find: (peer: PeerId, token: Uint8Array) => Carrier | undefined;
  readonly count: (code: number) => void;
}

/** Gives each carrier its lane: the dialler opens it, and shows the token that the acceptor greeted it with. */
export class Lanes {
  readonly #options: LanesOptions;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  start(): void {
    const { scope, transport, linksPerPeerMax } = this.#options;
    const accepted = transport.accept(laneProtocol, (link) => this.#onAccepted(link), {
      maxLinks: linksPerPeerMax,
    });
    scope.onClose(() => accepted[Symbol.dispose]());
  }

  open(carrier: Carrier): void {
    const { scope, timeoutMs } = this.#options;
    const token = carrier.laneToken;
    if (token === undefined) return;
    scope.spawn('open lane', async (signal) => {
      const limits = { what: 'opening a lane', timeoutMs, signal };
      try {
        const lane = await withTimeout(scope.runtime, limits, (until) => this.#dial(carrier, token, until));
        carrier.attachLane(lane);
      } catch {
        carrier.fail(GroupCode.Timeout, 'no lane could be opened');
      }
    });
  }

  async #dial(carrier: Carrier, token: Uint8Array, signal: AbortSignal): Promise<Link<Uint8Array>> {
    const lane = await this.#options.transport.open(carrier.peer, laneProtocol, { signal });
    if (carrier.isEnded) lane.abort('the bond is over');
    else lane.trySendEncoded(token);
    return lane;
  }

  async #onAccepted(link: Link<Uint8Array>): Promise<void> {
    const { scope, timeoutMs, find } = this.#options;
    const limits = { what: 'the first frame of a lane', timeoutMs, signal: scope.signal };
    const token = await withTimeout(scope.runtime, limits, (signal) => link.receive({ signal })).catch(
      () => undefined,
    );
    const carrier = token && find(link.peer, token);
    if (carrier !== undefined) {
      carrier.attachLane(link);
    } else if (link.end === undefined) {
      const code = token === undefined ? GroupCode.Timeout : GroupCode.WrongProof;
      this.#options.count(code);
      await link.close(code, token === undefined ? 'no token came' : 'no bond has this token');
    }
  }
}
