/**
 * `@mosaik/transport/link`: links over any ordered, reliable pipe of bytes. For those who adapt another transport: give
 * {@link createLink} a {@link Channel} and get framing, coalescing, backpressure and close codes;
 * {@link OpenLinks}, {@link AcceptGate} and {@link Keeper} serve links, bound what peers open and redial whom one wants, as
 * every transport should do alike.
 */
export { AcceptGate } from '../adapter/accept-gate.ts';
export { Keeper } from '../adapter/keeper.ts';
export { type Accepted, OpenLinks } from '../adapter/open-links.ts';
export type { Channel, ChannelEnd, ChannelEvents, ChannelFactory } from './channel.ts';
export { type CreateLinkOptions, createLink } from './create-link.ts';
export { giveBack } from './loan.ts';
export { FRAME_BYTES } from './outbox.ts';
