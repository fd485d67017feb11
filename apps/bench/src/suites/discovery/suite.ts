import Table from 'cli-table3';
import { type Result, type ResultName, resultOf } from '../../result.ts';
import type { Suite, SuiteContext } from '../../suite.ts';
import { compareCatalogs } from './comparison.ts';
import { type Measured, measureNetwork, type Traffic } from './network.ts';

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
  async run(context) {
    await context.measure([syncBytes.name], async () => {
      const { bytes, wholeBytes } = await compareCatalogs(ENTRIES, DIFFERENCES);
      return [resultOf(syncBytes, [{ ours: bytes, peer: wholeBytes }])];
    });
    const rows: [number, Measured][] = [];
    for (const size of sizes) await measureSize(context, size, rows);
    if (rows.length > 0) console.log(trafficTable(rows));
  },
};

function measureSize(
  context: SuiteContext,
  { nodes, steadyMs }: Size,
  rows: [number, Measured][],
): Promise<void> {
  return context.measure(namesOf(nodes), async () => {
    context.progress(`discovery: ${nodes} nodes join, and are watched for ${steadyMs / 1_000} virtual s`);
    const measured = await measureNetwork(nodes, steadyMs, SEED);
    rows.push([nodes, measured]);
    return resultsOf(nodes, measured);
  });
}

function namesOf(nodes: number): string[] {
  return ['join', 'join-real', 'messages', 'bytes'].map((what) => `discovery/${what}-${nodes}`);
}

/** There is nobody to compare with: what others simulate, or run a thousand of, is not the same thing. */
function resultsOf(nodes: number, { joinMs, realSeconds, steady }: Measured): Result[] {
  const result = (what: string, unit: string, ours: number): Result =>
    resultOf({ name: `discovery/${what}-${nodes}`, unit, peerName: '–' }, [{ ours, peer: undefined }]);
  return [
    result('join', 'virtual ms', joinMs),
    result('join-real', 's', realSeconds),
    result('messages', '/s a node', steady.messages),
    result('bytes', 'bytes/s a node', steady.bytes),
  ];
}

function trafficTable(rows: readonly (readonly [number, Measured])[]): string {
  const table = new Table({
    head: ['each of', 'joining: messages/s', 'bytes/s', 'steady: messages/s', 'bytes/s', 'equal after'],
    colAligns: ['right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const cells = ({ messages, bytes }: Traffic): string[] => [
    messages.toFixed(1),
    Math.round(bytes).toLocaleString('en-US'),
  ];
  for (const [nodes, { joining, steady, joinMs }] of rows) {
    table.push([`${nodes} nodes`, ...cells(joining), ...cells(steady), `${joinMs.toFixed(0)} virtual ms`]);
  }
  return table.toString();
}
