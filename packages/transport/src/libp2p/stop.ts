import type { Node } from './node.ts';

/** Of libp2p's own parts, what has to be ended: as of 3.3, and nothing is lost where it is not there. */
interface Internals {
  readonly components?: {
    readonly addressManager?: { readonly _updatePeerStoreAddresses?: { stop?(): void } };
  };
}

/**
 * Stops a node. When its last listener has closed libp2p waits a second to write down its addresses, which nobody will read,
 * and the timer would keep the process alive for as long.
 */
export async function stopNode(node: Node): Promise<void> {
  await node.stop();
  (node as Internals).components?.addressManager?._updatePeerStoreAddresses?.stop?.();
}
