import { type Network, type PeerInfo, shortId } from 'mosaik';
import type { Context } from '../context.ts';
import { type Finding, note, ok, wrong } from '../doctor/finding.ts';
import { checkGroups, checkStream } from '../doctor/flow.ts';
import { checkBootstrap, checkCatalog, checkPeer } from '../doctor/reachability.ts';
import { ExitCode } from '../exit-code.ts';
import { type Surveyed, survey } from '../node/inspect.ts';
import { join, requireWay } from '../node/join.ts';
import { tagsOf } from '../node/topology.ts';
import { safeText } from '../output/format.ts';

export interface DoctorOptions {
  /** A peer, by its id or the beginning of it; undefined: all. */
  readonly peer?: string;
  readonly stream?: string;
  /** A role that the peer is expected to have. */
  readonly withTag?: string;
}

/** Walks from the wire upwards, and says where it ends: addresses, network, catalog, peer, tags, streams, groups. */
export async function doctor(context: Context, options: DoctorOptions): Promise<ExitCode> {
  const { console, world } = context;
  requireWay(context);
  await using network = await join(context);
  const findings: Finding[] = await checkBootstrap(context, network);
  if (context.settings.bootstrap.length === 0) await waitForSomebody(context, network);
  findings.push(checkCatalog(network));
  const nodes =
    options.peer === undefined
      ? await survey(network, world.interrupted)
      : await lookAt(context, network, { ...options, peer: options.peer, findings });
  if (options.peer === undefined) findings.push(...silent(nodes));
  if (options.withTag !== undefined) findings.push(...checkTag(options.withTag, nodes));
  if (options.stream !== undefined) {
    // Both ends matter, whoever is asked about.
    const all = options.peer === undefined ? nodes : await survey(network, world.interrupted);
    findings.push(...checkStream(options.stream, all));
  }
  findings.push(...checkGroups(nodes));
  const isWell = findings.every(({ status }) => status !== 'wrong');
  await console.show({ isWell, findings }, () =>
    findings.map((finding) => lineOf(context, finding)).join('\n'),
  );
  return isWell ? ExitCode.Ok : ExitCode.Failed;
}

async function waitForSomebody({ settings, world }: Context, network: Network): Promise<void> {
  const signal = AbortSignal.any([world.interrupted, AbortSignal.timeout(settings.timeoutMs)]);
  await network.discovery
    .watch()
    .until(({ size }) => size > 0, { signal })
    .catch(() => {});
}

async function lookAt(
  context: Context,
  network: Network,
  { peer, findings }: { readonly peer: string; readonly findings: Finding[] },
): Promise<Surveyed[]> {
  const candidates = network.discovery.catalog.filter((known) => known.peer.startsWith(peer.toLowerCase()));
  const [found] = candidates;
  if (found === undefined || candidates.length > 1) {
    const what =
      found === undefined
        ? `no peer ${safeText(peer)} is known`
        : `${candidates.length} peers begin with ${peer}`;
    findings.push(wrong('peer', what, 'mosaik peers --json lists them; one that has just died is taken out'));
    return [];
  }
  findings.push(ok('peer', describe(found)));
  const looked = await checkPeer(context, network, found);
  findings.push(...looked.findings);
  return [looked.surveyed];
}

function describe(peer: PeerInfo): string {
  const tags = tagsOf(peer).map(safeText);
  const streams = peer.streams.map((id) => safeText(peer.nameOf(id)));
  const parts = [
    `${shortId(peer.peer)} is known, at ${peer.addresses.map(safeText).join(', ') || 'no address'}`,
    tags.length === 0 ? 'without tags' : `tags ${tags.join(', ')}`,
    streams.length === 0 ? 'produces nothing' : `produces ${streams.join(', ')}`,
  ];
  return parts.join('; ');
}

function silent(nodes: readonly Surveyed[]): Finding[] {
  return nodes.flatMap(({ peer, problem }) =>
    problem === undefined ? [] : [note('transport', `${shortId(peer.peer)} does not answer: ${problem}`)],
  );
}

function checkTag(tag: string, nodes: readonly Surveyed[]): Finding[] {
  const carriers = nodes.filter(({ peer }) => peer.hasTag(tag)).length;
  if (carriers > 0) return [ok('tags', `${carriers} of ${nodes.length} carry the tag ${tag}`)];
  return [wrong('tags', `nobody looked at carries the tag ${tag}`, `start one with --tag ${tag}`)];
}

function lineOf({ console }: Context, { check, status, text, remedy }: Finding): string {
  const signs = { ok: console.style('green', 'ok   '), note: 'note ', wrong: console.style('red', 'WRONG') };
  return `${signs[status]} ${check.padEnd(10)} ${text}${remedy === undefined ? '' : `\n                 → ${remedy}`}`;
}
