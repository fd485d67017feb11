import type { Growth } from '../../growth.ts';
import { type Result, type ResultName, resultOf } from '../../result.ts';
import type { Suite, SuiteContext } from '../../suite.ts';
import { compareCatalogs } from './comparison.ts';
import { type Measured, measureNetwork } from './network.ts';

interface Size {
  readonly nodes: number;
  /** How long the quiet network is watched, in virtual ms. */
  readonly steadyMs: number;
}

const sizes: readonly Size[] = [
  { nodes: 10, steadyMs: 60_000 },
  { nodes: 100, steadyMs: 20_000 },
  { nodes: 1_000, steadyMs: 3_000 },
];

const ENTRIES = 1_000;
const DIFFERENCES = 10;
/** The simulator's seed. Everything but real time follows from it: a second run would say the same. */
const SEED = 1;

/** What is measured of each size: the last part of its name, its unit, and what it is. */
const measures: readonly (readonly [string, string, string, (measured: Measured) => number])[] = [
  ['join', 'virtual ms', 'equal after, virtual ms', ({ joinMs }) => joinMs],
  ['join-messages', 'a node', 'messages a node', ({ joining }) => joining.messages],
  ['join-bytes', 'bytes a node', 'bytes a node', ({ joining }) => joining.bytes],
  ['join-cpu', 's', 'CPU, s', ({ cpuSeconds }) => cpuSeconds],
  ['join-real', 's', 'real, s', ({ realSeconds }) => realSeconds],
  ['messages', '/s a node', 'then messages/s', ({ steady }) => steady.messages],
  ['bytes', 'bytes/s a node', 'bytes/s', ({ steady }) => steady.bytes],
];

const growth: Growth = {
  title:
    'discovery: simulated nodes join, each told one address; until all catalogs are equal, and once nothing changes',
  sizes: sizes.map(({ nodes }) => nodes),
  columns: measures.map(([what, , title]) => ({ title, nameOf: (nodes) => nameOf(what, nodes) })),
};

const syncBytes: ResultName = {
  name: 'discovery/sync-bytes',
  unit: `bytes, ${DIFFERENCES} of ${ENTRIES} differ`,
  peerName: 'the whole catalog',
  isTime: true,
};

export const discoverySuite: Suite = {
  name: 'discovery',
  about: 'simulated nodes, each told one random address: until all catalogs are equal, and what that costs',
  results: [...sizes.flatMap(({ nodes }) => namesOf(nodes)), syncBytes.name],
  growth: [growth],
  async run(context) {
    await context.measure([syncBytes.name], async () => {
      const { bytes, wholeBytes } = await compareCatalogs(ENTRIES, DIFFERENCES);
      return [resultOf(syncBytes, [{ ours: bytes, peer: wholeBytes }])];
    });
    for (const size of sizes) await measureSize(context, size);
  },
};

function measureSize(context: SuiteContext, { nodes, steadyMs }: Size): Promise<void> {
  return context.measure(namesOf(nodes), async () => {
    context.progress(`discovery: ${nodes} nodes join, and are watched for ${steadyMs / 1_000} virtual s`);
    return resultsOf(nodes, await measureNetwork(nodes, steadyMs, SEED));
  });
}

function nameOf(what: string, nodes: number): string {
  return `discovery/${what}-${nodes}`;
}

function namesOf(nodes: number): string[] {
  return measures.map(([what]) => nameOf(what, nodes));
}

/** There is nobody to compare with: what others simulate, or run a thousand of, is not the same thing. */
function resultsOf(nodes: number, measured: Measured): Result[] {
  return measures.map(([what, unit, , read]) =>
    resultOf({ name: nameOf(what, nodes), unit, peerName: '–' }, [{ ours: read(measured), peer: undefined }]),
  );
}
