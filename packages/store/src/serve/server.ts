import type { Discovery, PeerInfo } from '@mosaik/discovery';
import {
  AbortedError,
  DecodeError,
  type PeerId,
  type Runtime,
  type StoreId,
  type StreamId,
  shortId,
  TimeoutError,
  toError,
  withTimeout,
} from '@mosaik/primitives';
import { type Link, LinkEndedError } from '@mosaik/transport';
import { StoreCode } from '../codes.ts';
import { type DamagedRange, LogStorageError } from '../log/errors.ts';
import type { KeptBlock, LogIdentity } from '../log/log-storage.ts';
import {
  decodeList,
  decodeRead,
  encodeLogs,
  Kind,
  type ListRequest,
  LOGS_MAX,
  type LogOffer,
  type ReadRequest,
} from '../wire/messages.ts';
import type { SnapshotOffer } from '../wire/snapshots.ts';
import { type AskSnapshot, decodeAskSnapshot } from '../wire/snapshots.ts';
import type { KeptLog } from './kept-log.ts';
import { serveReading } from './reading.ts';
import { serveSnapshot } from './snapshot.ts';

/** How long a peer may take to say what it wants first, and between its requests. */
const FIRST_REQUEST_MS = 10_000;
const NEXT_REQUEST_MS = 120_000;
/** Of one peer: each of its replays has a link for each holder, and one for each log. */
const READS_PER_PEER_MAX = 512;

/** Something that not everybody may have. */
export interface Guarded {
  readonly acceptIf: (peer: PeerInfo) => boolean;
}

/** What is kept here of one stream. */
export interface Served extends Guarded {
  readonly logs: readonly KeptLog[];
}

/** The newest snapshot of a fold that is kept here. */
export interface ServedFold extends Guarded {
  /** The one with this hash where it is still there, else the newest. */
  readonly snapshot: (hash?: Uint8Array) => Promise<SnapshotOffer | undefined>;
}

export interface ServerOptions {
  readonly runtime: Runtime;
  readonly discovery: Discovery;
  readonly find: (stream: StreamId) => Served | undefined;
  readonly findFold: (fold: StoreId) => ServedFold | undefined;
  /** What is known of a peer, this node included. */
  readonly lookUp: (peer: PeerId) => PeerInfo | undefined;
  readonly onSent: (block: KeptBlock) => void;
  /** Something that should be here cannot be read. */
  readonly onDamaged: (log: LogIdentity, range: DamagedRange) => void;
  readonly onRefused: (code: number) => void;
}

/** Why a request is refused. */
class Refusal extends Error {
  readonly code: StoreCode;

  constructor(code: StoreCode, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** Answers what peers ask of the logs that are kept here. */
export class LogServer {
  readonly #options: ServerOptions;
  /** Links that data go over, and what of. */
  readonly #active = new Map<Link<Uint8Array>, Guarded>();

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get readers(): number {
    return this.#active.size;
  }

  /** The catalog has changed: whoever does not qualify any more is let go. */
  reconsider(): void {
    for (const [link, { acceptIf }] of [...this.#active]) {
      const info = this.#options.lookUp(link.peer);
      // Who left the catalog may be cut off from others only: its link decides.
      if (info === undefined || acceptIf(info)) continue;
      void link.close(StoreCode.NotAllowed, 'not allowed by acceptIf');
    }
  }

  /** Something is not kept here any more: whoever reads it is let go, and looks elsewhere. */
  withdraw(guarded: Guarded): void {
    for (const [link, active] of [...this.#active]) {
      if (active === guarded) void link.close(StoreCode.NotFound, 'not kept here any more');
    }
  }

  readonly serve = async (link: Link<Uint8Array>): Promise<void> => {
    const ended = new AbortController();
    void link.ended.then(() => ended.abort());
    try {
      await this.#answerAll(link, ended.signal);
      if (link.end === undefined) await link.close();
    } catch (thrown) {
      const refusal = refusalFor(toError(thrown), ended.signal);
      if (refusal === undefined) return;
      this.#options.onRefused(refusal.code);
      await link.close(refusal.code, refusal.message);
    } finally {
      this.#active.delete(link);
    }
  };

  async #answerAll(link: Link<Uint8Array>, signal: AbortSignal): Promise<void> {
    let timeoutMs = FIRST_REQUEST_MS;
    while (!signal.aborted) {
      const limits = { what: `a request of ${shortId(link.peer)}`, timeoutMs, signal };
      const message = await withTimeout(this.#options.runtime, limits, (limit) =>
        link.receive({ signal: limit }),
      );
      if (message === undefined) return;
      await this.#answer(link, message, signal);
      timeoutMs = NEXT_REQUEST_MS;
    }
  }

  async #answer(link: Link<Uint8Array>, message: Uint8Array, signal: AbortSignal): Promise<void> {
    switch (message[0]) {
      case Kind.List:
        return await this.#list(link, decodeList(message), signal);
      case Kind.Read:
      case Kind.Follow:
        return await this.#read(link, decodeRead(message), signal);
      case Kind.AskSnapshot:
        return await this.#snapshot(link, decodeAskSnapshot(message), signal);
      default:
        throw new DecodeError('malformed', `a request of kind ${message[0]}`);
    }
  }

  async #list(link: Link<Uint8Array>, request: ListRequest, signal: AbortSignal): Promise<void> {
    const served = this.#options.find(request.stream);
    if (served === undefined) throw notFound(`the stream ${shortId(request.stream)} is not kept here`);
    await this.#admit(link, request.entry, served);
    const logs = served.logs.slice(0, LOGS_MAX);
    const offers = await Promise.all(logs.map((log) => offerOf(log, request.sinceMs)));
    await link.sendEncoded(encodeLogs(offers), { signal });
  }

  async #read(link: Link<Uint8Array>, request: ReadRequest, signal: AbortSignal): Promise<void> {
    const { identity, from } = request;
    const served = this.#options.find(identity.stream);
    if (served === undefined) throw notFound(`the stream ${shortId(identity.stream)} is not kept here`);
    await this.#admit(link, request.entry, served);
    const log = findLog(served, request);
    const { next } = log.extent;
    if (from > next) throw new Refusal(StoreCode.Ahead, `${from} lies beyond the end, which is ${next}`);
    const to = request.kind === 'read' ? request.to : undefined;
    const { onSent, onDamaged } = this.#options;
    await serveReading(
      { log, link, from, to, onSent, onDamaged: (range) => onDamaged(identity, range) },
      signal,
    );
  }

  async #snapshot(link: Link<Uint8Array>, request: AskSnapshot, signal: AbortSignal): Promise<void> {
    const served = this.#options.findFold(request.fold);
    if (served === undefined) throw notFound('this fold is not kept here');
    await this.#admit(link, request.entry, served);
    await serveSnapshot({ link, request, offer: await served.snapshot(request.hash) }, signal);
  }

  #activeOf(peer: PeerId): number {
    if (this.#active.size < READS_PER_PEER_MAX) return 0;
    return Array.from(this.#active.keys()).filter((link) => link.peer === peer).length;
  }

  /** A reader may be quicker than the gossip about it: it brings its entry. */
  async #admit(link: Link<Uint8Array>, entry: Uint8Array, guarded: Guarded): Promise<void> {
    const { discovery, lookUp } = this.#options;
    if (lookUp(link.peer) === undefined && entry.length > 0) await discovery.feed(entry).catch(() => {});
    const info = lookUp(link.peer);
    if (info === undefined) throw new Refusal(StoreCode.NotAllowed, 'this peer is not in the catalog');
    if (!guarded.acceptIf(info)) throw new Refusal(StoreCode.NotAllowed, 'not allowed by acceptIf');
    if (!this.#active.has(link) && this.#activeOf(link.peer) >= READS_PER_PEER_MAX)
      throw new Refusal(StoreCode.TooMany, `${READS_PER_PEER_MAX} links of one peer that read, at most`);
    this.#active.set(link, guarded);
  }
}

async function offerOf(log: KeptLog, sinceMs: number | undefined): Promise<LogOffer> {
  const { extent, identity, isOwn } = log;
  const since = sinceMs === undefined ? undefined : await log.storage.offsetAt(sinceMs);
  return {
    ...extent,
    producer: identity.producer,
    log: identity.log,
    isOwn,
    since: since === undefined ? undefined : Math.max(since, extent.first),
  };
}

function findLog({ logs }: Served, { identity: { producer, log } }: ReadRequest): KeptLog {
  const ofProducer = logs.filter(({ identity }) => identity.producer === producer);
  const found = ofProducer.find(({ identity }) => identity.log === log);
  if (found !== undefined) return found;
  if (ofProducer.length === 0) throw notFound(`no log of ${shortId(producer)} is kept here`);
  throw new Refusal(StoreCode.OtherLog, `another log of ${shortId(producer)} is kept here, not ${log}`);
}

function notFound(reason: string): Refusal {
  return new Refusal(StoreCode.NotFound, reason);
}

/** Undefined when the link has ended by itself. */
function refusalFor(error: Error, signal: AbortSignal): { code: number; message: string } | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof LinkEndedError || (error instanceof AbortedError && signal.aborted)) return undefined;
  const { message } = error;
  if (error instanceof TimeoutError) return { code: StoreCode.Timeout, message };
  if (error instanceof DecodeError) return { code: StoreCode.Malformed, message };
  if (error instanceof LogStorageError) return { code: StoreCode.Unreadable, message };
  throw error;
}
