/**
 * `@mosaik/transport/libp2p`: the transport over libp2p (TCP, TLS or Noise, Yamux, identify, gossipsub; multicast DNS and circuit
 * relay on request). For Node.
 */
export type { Encryption } from './encryption.ts';
export { fromLibp2pPeerId, type Identity, identityOf, toLibp2pPeerId } from './identity.ts';
export type { Libp2pTransportOptions } from './options.ts';
export { createLibp2pTransport } from './transport.ts';
