/**
 * `@mosaik/transport`: the only door to the network. A {@link Transport} connects to peers, opens typed {@link Link}s by
 * {@link Protocol}, and broadcasts on gossip {@link Topic}s. This entry holds the contract and runs anywhere; the
 * implementation over TCP is `@mosaik/transport/libp2p`, the simulated one is in `@mosaik/testing`.
 */
export { CloseCode, describeCloseCode } from './codes.ts';
export {
  FrameTooLargeError,
  LinkEndedError,
  PeerUnreachableError,
  ProtocolUnsupportedError,
  TooManyWaitingError,
  WrongPeerError,
} from './errors.ts';
export { describeLinkEnd, isCleanEnd, type LinkEnd } from './link/end.ts';
export type { Direction, Link, LinkStats } from './link/link.ts';
export { type Loan, lend } from './link/loan.ts';
export { type Priority, type Protocol, protocol, protocolId } from './protocol.ts';
export { randomSecretKey, SecretKey, secretKey } from './secret-key.ts';
export type {
  AcceptLimits,
  Address,
  Connection,
  DisconnectReason,
  LinkHandler,
  LocalPeer,
  Topic,
  TopicHandler,
  TopicMessage,
  TopicVerdict,
  Transport,
  TransportEvent,
} from './transport.ts';
