import type { Discovery, PeerInfo } from '@mosaik/discovery';
import {
  DecodeError,
  type PeerId,
  type Runtime,
  type StreamId,
  shortId,
  TimeoutError,
  toError,
  withTimeout,
} from '@mosaik/primitives';
import { type Link, LinkEndedError } from '@mosaik/transport';
import { StreamCode } from '../codes.ts';
import { compileCriteria, type Filter } from '../criteria/filter.ts';
import { CriteriaError } from '../errors.ts';
import { decodeSubscribe, type Subscribe } from '../wire/messages.ts';
import type { Applicant, Refusal } from './producer-node.ts';

/** How long a peer may take to say what it wants. */
const SUBSCRIBE_MS = 10_000;

/** What admits subscriptions to one stream. */
export interface Admission {
  admit(applicant: Applicant): Refusal | undefined;
}

interface GatekeeperOptions {
  readonly runtime: Runtime;
  readonly discovery: Discovery;
  readonly find: (stream: StreamId) => Admission | undefined;
  /** What is known of a peer, this node included. */
  readonly lookUp: (peer: PeerId) => PeerInfo | undefined;
  readonly onRefused: (code: number) => void;
}

/** Meets the subscriptions that peers open: hears what they want, and lets them in or closes them with a code. */
export function createGatekeeper(options: GatekeeperOptions): (link: Link<Uint8Array>) => Promise<void> {
  return async (link) => {
    const refusal = await judge(link, options);
    if (refusal === undefined) return;
    options.onRefused(refusal.code);
    await link.close(refusal.code, refusal.reason);
  };
}

/** Undefined when the subscription was let in, or has ended by itself. */
async function judge(link: Link<Uint8Array>, options: GatekeeperOptions): Promise<Refusal | undefined> {
  try {
    const request = await hear(link, options.runtime);
    if (request === undefined) return undefined;
    const admission = options.find(request.stream);
    if (admission === undefined) return notFound(request.stream);
    const filter = compiled(request.criteria);
    const info = await introduced(link.peer, request.entry, options);
    if (info === undefined) return { code: StreamCode.NotAllowed, reason: 'this peer is not in the catalog' };
    // Asked for again, as the introduction took its time.
    return options.find(request.stream)?.admit({ link, info, filter }) ?? undefined;
  } catch (thrown) {
    return refusalFor(toError(thrown));
  }
}

async function hear(link: Link<Uint8Array>, runtime: Runtime): Promise<Subscribe | undefined> {
  const what = `a subscription of ${shortId(link.peer)}`;
  const message = await withTimeout(runtime, { what, timeoutMs: SUBSCRIBE_MS }, (signal) =>
    link.receive({ signal }),
  );
  return message && decodeSubscribe(message);
}

function compiled(criteria: unknown): Filter | undefined {
  return criteria === undefined ? undefined : compileCriteria(criteria);
}

/** A subscriber may be quicker than the gossip about it, also about its tags: it brings its entry. */
async function introduced(
  peer: PeerId,
  entry: Uint8Array,
  { discovery, lookUp }: GatekeeperOptions,
): Promise<PeerInfo | undefined> {
  // One that is not newer than what is known is refused before its signature is looked at.
  if (entry.length > 0) await discovery.feed(entry).catch(() => {});
  return lookUp(peer);
}

function notFound(stream: StreamId): Refusal {
  return { code: StreamCode.StreamNotFound, reason: `stream ${shortId(stream)} is not produced here` };
}

function refusalFor(error: Error): Refusal | undefined {
  if (error instanceof LinkEndedError) return undefined;
  if (error instanceof TimeoutError) return { code: StreamCode.Timeout, reason: error.message };
  if (error instanceof DecodeError || error instanceof CriteriaError) {
    return { code: StreamCode.Malformed, reason: error.message };
  }
  throw error;
}
