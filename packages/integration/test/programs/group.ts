/** A node that is a member of a group, and that tests talk to and kill. */
import { createDiscovery } from '@mosaik/discovery';
import { createGroups, type Group, memory } from '@mosaik/groups';
import { sqlite } from '@mosaik/groups/sqlite';
import { enableLog, setLogSink, toError } from '@mosaik/primitives';
import { sharedNowMs, waitedForCpuMs } from '../support/clock.ts';
import type { Attempt, GroupProcessOptions, Leave, Refusal, View, WriteRequest } from '../support/groups.ts';
import { type Audit, type Deposit, Ledger, type Receipt } from '../support/ledger.ts';
import { startNode } from '../support/nodes.ts';
import { programArgument, serveCalls } from '../support/program.ts';
import { depositsOf, writeDeposits } from '../support/writes.ts';

const alarms: string[] = [];
enableLog('mosaik:*:error');
setLogSink(({ namespace, level, message }) => void alarms.push(`${namespace}:${level} ${message}`));

const { file, key, consensus, bootstrap, ...node } = programArgument<GroupProcessOptions>();
const transport = await startNode(node);
const discovery = await createDiscovery({ transport, bootstrap });
const groups = createGroups({ transport, discovery });
const storage = file === undefined ? memory() : sqlite(file);
const joining = groups.join({ key, machine: Ledger, storage, consensus });
let refusal: Refusal | undefined;
const joined = await joining.catch((thrown: unknown) => {
  const error = toError(thrown);
  refusal = { name: error.name, message: error.message };
  return undefined;
});

function member(): Group<Deposit, number, readonly Receipt[], Audit> {
  if (joined === undefined) throw new Error(`not a member: ${refusal?.message}`);
  return joined;
}

/** Each configuration that this member has seen in force, in order. */
const configurations: { voters: readonly string[]; learners: readonly string[] }[] = [];
joined?.log().subscribe(() => {
  const { voters, learners } = member().configuration;
  const last = configurations.at(-1);
  if (last?.voters !== voters || last.learners !== learners) configurations.push({ voters, learners });
});

function view(): View {
  const { stats } = member();
  return { ...stats, why: member().why() };
}

/** How something ended that is given up after a while. */
async function attempt(what: (signal: AbortSignal) => Promise<unknown>, timeoutMs: number): Promise<Attempt> {
  try {
    await what(AbortSignal.timeout(timeoutMs));
    return { done: true };
  } catch (thrown) {
    const { name, unknown } = thrown as Error & { unknown?: readonly unknown[] };
    return { done: false, error: name, unknown: unknown?.length ?? 0 };
  }
}

async function leave(): Promise<Leave> {
  const group = member();
  const wasLeader = group.stats.role === 'leader';
  let handedOverAtMs: number | undefined;
  const handedOver = group
    .when()
    .isFollower()
    .wait()
    .then(() => {
      handedOverAtMs = sharedNowMs();
    });
  handedOver.catch(() => {});
  await group.close();
  const closedAtMs = sharedNowMs();
  await groups.close();
  await discovery.close();
  await transport.close();
  return { wasLeader, handedOverAtMs, closedAtMs };
}

serveCalls({
  local: () => ({ peerId: transport.local.peerId, addresses: transport.local.addresses.value }),
  refusal: () => refusal,
  groupId: () => member().id,
  /** How many other nodes this one knows of. */
  known: () => [...discovery.catalog].length,
  view,
  configurations: () => configurations,
  alarms: () => alarms,
  /** How often which code was given to peers that are no members. */
  refused: () => {
    const points = transport.metrics.snapshot()['mosaik.groups.bonds.refused'] ?? [];
    return Object.fromEntries(points.map(({ labels, value }) => [String(labels['code']), value]));
  },
  waitedForCpuMs,
  write: (request: WriteRequest) => writeDeposits(member(), request),
  tryWrite: ({ timeoutMs, ...request }: WriteRequest & { timeoutMs: number }) =>
    attempt((signal) => member().executeMany(depositsOf(request), { signal }), timeoutMs),
  tryStrongRead: ({ timeoutMs }: { timeoutMs: number }) =>
    attempt((signal) => member().query([], 'strong', { signal }), timeoutMs),
  /** Compares receipts with the state here, once it has all that was acknowledged before. */
  audit: async (receipts: readonly Receipt[]) => (await member().query(receipts, 'strong')).result,
  leave,
});
