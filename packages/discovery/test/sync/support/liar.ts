import { sleep } from '@mosaik/primitives';
import { createWorld, type World } from '@mosaik/testing';
import type { Link, LinkEnd, Protocol } from '@mosaik/transport';
import type { StepMessage, SyncMessage } from '../../../src/sync/message.ts';
import { syncProtocol } from '../../../src/sync/protocol.ts';
import { type SyncOptions, type SyncResult, serveSync, syncWith } from '../../../src/sync/session.ts';
import type { SyncSource } from '../../../src/sync/source.ts';

/** What became of an honest side that met a liar. */
export interface Outcome {
  readonly result: SyncResult | undefined;
  readonly error: unknown;
  /** Virtual time that the session took, in ms, from the first message. */
  readonly tookMs: number;
  /** What the liar was told. */
  readonly liarsEnd: LinkEnd;
  readonly bytesOut: number;
}

/** A side that does what it likes with a link. May fail when the link ends under it. */
export type Liar = (link: Link<SyncMessage>, world: World) => Promise<void>;

export interface Meeting {
  readonly source: SyncSource;
  readonly liar: Liar;
  /** Whether the honest side opened the link, or serves it. */
  readonly honest: 'initiator' | 'responder';
  readonly options?: Partial<SyncOptions>;
  /** The protocol as a liar that opens the link has it. */
  readonly liarsProtocol?: Protocol<SyncMessage>;
}

/** Lets an honest side and a liar meet, in virtual time. */
export function meet(meeting: Meeting): Promise<Outcome> {
  const { source, liar, honest, options = {}, liarsProtocol = syncProtocol } = meeting;
  const world = createWorld();
  return world.run(async () => {
    const [ours, theirs] = [world.host('honest'), world.host('liar')];
    const [server, client] = honest === 'responder' ? [ours, theirs] : [theirs, ours];
    await using opened = client.transport();
    await using accepting = server.transport();
    const accepted = new Promise<Link<SyncMessage>>((resolve) => {
      accepting.accept(syncProtocol, async (link) => {
        resolve(link);
        await link.ended;
      });
    });
    await opened.connect(accepting.local.addresses.value[0] as string);
    const protocol = honest === 'responder' ? liarsProtocol : syncProtocol;
    const link = await opened.open(accepting.local.peerId, protocol);
    const other = honest === 'responder' ? link : await accepted;
    const lying = liar(other, world).catch(() => {});
    const own = honest === 'responder' ? await accepted : link;
    const run = honest === 'responder' ? serveSync : syncWith;
    const startMs = world.now;
    const settled = await run(own, source, { runtime: ours.runtime, ...options }).then(
      (result) => ({ result, error: undefined }),
      (error: unknown) => ({ result: undefined, error }),
    );
    const tookMs = world.now - startMs;
    const bytesOut = own.stats.sentBytes;
    const liarsEnd = await other.ended;
    await lying;
    return { ...settled, tookMs, liarsEnd, bytesOut };
  });
}

/** Reads up to the step that ends the other side's turn; nothing when the link is over. */
export async function hear(link: Link<SyncMessage>): Promise<StepMessage | undefined> {
  while (true) {
    const message = await link.receive();
    if (message === undefined || message.kind === 'step') return message;
  }
}

export function step(parts: Partial<StepMessage> = {}): StepMessage {
  return { kind: 'step', ranges: [], wants: [], tombstones: [], ...parts };
}

export function pause(world: World, durationMs: number): Promise<void> {
  return sleep(world.runtime, durationMs);
}
