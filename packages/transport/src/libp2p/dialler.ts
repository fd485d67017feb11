import type { Connection as Libp2pConnection, PeerInfo } from '@libp2p/interface';
import {
  AbortedError,
  createLog,
  type PeerId,
  type Scope,
  shortId,
  toError,
  type WaitOptions,
  withTimeout,
} from '@mosaik/primitives';
import type { Multiaddr } from '@multiformats/multiaddr';
import { PeerUnreachableError, WrongPeerError } from '../errors.ts';
import type { Address } from '../transport.ts';
import { dialError, nameAddress, parseAddress } from './address.ts';
import { AddressBook } from './address-book.ts';
import { peerOf } from './connection.ts';
import { fromLibp2pPeerId } from './identity.ts';
import type { Joins } from './joins.ts';
import type { Members } from './members.ts';
import type { Node } from './node.ts';

const log = createLog('transport');

/** Peers found on the local network that are dialled at once; further ones are found again. */
const MAX_DIALS_OF_FOUND = 32;

interface DiallerOptions {
  readonly node: Node;
  readonly members: Members;
  readonly joins: Joins;
  readonly scope: Scope;
  readonly self: PeerId;
  readonly dialTimeoutMs: number;
}

/** What is dialled, and how it is called in an error. */
interface Target {
  readonly who: string;
  readonly addresses: readonly Address[];
}

/** Makes connections: to an address, to a peer whose addresses are known, to whom multicast DNS finds. */
export class Dialler {
  readonly addresses: AddressBook = new AddressBook();
  readonly #options: DiallerOptions;
  readonly #found = new Set<PeerId>();

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /** Connects to whoever answers at an address. */
  async connect(address: Address, options: WaitOptions): Promise<PeerId> {
    const raw = await this.#dial({ who: address, addresses: [address] }, options.signal);
    return peerOf(raw);
  }

  /** Connects to a peer at the addresses that are known of it. */
  async dial(peer: PeerId, signal: AbortSignal | undefined): Promise<Libp2pConnection> {
    const addresses = this.addresses.of(peer);
    if (addresses.length === 0) throw new PeerUnreachableError(shortId(peer), []);
    return this.#dialPeer(peer, addresses, signal);
  }

  /** A peer seen by multicast DNS is dialled where it was seen, unless we are connected; if that fails, it is seen again. */
  onFound(found: PeerInfo): void {
    const { members, scope, self } = this.#options;
    const peer = fromLibp2pPeerId(found.id);
    const addresses = found.multiaddrs.map(String);
    if (peer === undefined || peer === self || addresses.length === 0 || scope.isClosing) return;
    members.events.emit({ type: 'discovered', peer, addresses });
    const isBusy = this.#found.has(peer) || this.#found.size >= MAX_DIALS_OF_FOUND;
    if (!isBusy && !members.connections.value.has(peer))
      scope.spawn('dial found', (signal) => this.#dialFound(peer, addresses, signal));
  }

  async #dialFound(peer: PeerId, addresses: readonly Address[], signal: AbortSignal): Promise<void> {
    this.#found.add(peer);
    try {
      await this.#dialPeer(peer, addresses, signal);
      this.addresses.find(peer, addresses);
    } catch (error) {
      log('found %s: %s', shortId(peer), toError(error).message);
    } finally {
      this.#found.delete(peer);
    }
  }

  async #dialPeer(
    peer: PeerId,
    addresses: readonly Address[],
    signal: AbortSignal | undefined,
  ): Promise<Libp2pConnection> {
    const named = addresses.flatMap((address) => nameAddress(address, peer) ?? []);
    if (named.length === 0) throw new WrongPeerError(addresses.join(', '));
    return this.#dial({ who: shortId(peer), addresses: named }, signal);
  }

  /** Dials and waits until the other end has joined, both within the time of one attempt. */
  async #dial(target: Target, signal: AbortSignal | undefined): Promise<Libp2pConnection> {
    const { joins, scope, dialTimeoutMs } = this.#options;
    const multiaddrs = target.addresses.map(parseAddress);
    const limits = { what: `connecting to ${target.who}`, timeoutMs: dialTimeoutMs, signal };
    const connecting = withTimeout(scope.runtime, limits, async (until) => {
      const raw = await this.#dialRaw(target, multiaddrs, { signal: until });
      if (raw.direction === 'outbound' || (await isJoined(joins, raw))) {
        await joins.joined(raw);
        return raw;
      }
      // libp2p answered with a connection that the other side had made, and that came to nothing.
      const own = await this.#dialRaw(target, multiaddrs, { signal: until, force: true });
      await joins.joined(own);
      return own;
    });
    return connecting.catch((error: Error) => {
      if (error.name !== 'TimeoutError') throw error;
      throw new PeerUnreachableError(target.who, target.addresses, { cause: error });
    });
  }

  async #dialRaw(
    target: Target,
    multiaddrs: Multiaddr[],
    options: { readonly signal: AbortSignal; readonly force?: boolean },
  ): Promise<Libp2pConnection> {
    try {
      return await this.#options.node.dial(multiaddrs, options);
    } catch (cause) {
      if (options.signal.aborted)
        throw new AbortedError(`connecting to ${target.who} was aborted`, { cause });
      throw dialError(target.who, target.addresses, toError(cause));
    }
  }
}

function isJoined(joins: Joins, raw: Libp2pConnection): Promise<boolean> {
  return joins.joined(raw).then(
    () => true,
    () => false,
  );
}
