import type { ConsensusOptions, GroupReason, GroupStats } from '@mosaik/groups';
import type { PeerId } from '@mosaik/primitives';
import { type Child, startChild } from './child.ts';
import type { Audit, Receipt } from './ledger.ts';
import { LOOPBACK, type NodeOptions } from './nodes.ts';
import { until } from './wait.ts';

/** What a member is started with. */
export type GroupProcessOptions = NodeOptions & {
  /** Of its log; in memory without. */
  readonly file?: string;
  readonly key: string;
  readonly consensus: ConsensusOptions;
  readonly bootstrap: readonly string[];
};

/** How a member sees the group. */
export type View = GroupStats & { readonly why: GroupReason };

/** Deposits with ids `prefix` and a number, from `from` on. */
export interface WriteRequest {
  readonly prefix: string;
  readonly from: number;
  readonly count: number;
  readonly textBytes?: number;
}

/** What became of them; times are of the clock that all processes share. */
export interface WriteReport {
  readonly indices: readonly number[];
  /** Those whose result says that they were applied before. */
  readonly repeated: number;
  readonly startedAtMs: number;
  readonly acknowledgedAtMs: number;
}

/** How something ended that was given up after a while. */
export interface Attempt {
  readonly done: boolean;
  readonly error?: string;
  /** Commands of unknown outcome that the error carries. */
  readonly unknown?: number;
}

/** How a member left. */
export interface Leave {
  readonly wasLeader: boolean;
  /** When it followed another leader; undefined when it never did. */
  readonly handedOverAtMs?: number | undefined;
  readonly closedAtMs: number;
}

/** Why a node could not join. */
export interface Refusal {
  readonly name: string;
  readonly message: string;
}

export interface SeenConfiguration {
  readonly voters: readonly string[];
  readonly learners: readonly string[];
}

/** A member of a group, in a process of its own: `test/programs/group.ts`. */
export interface MemberProcess extends Child {
  readonly peerId: PeerId;
  readonly address: string;
  view(): Promise<View>;
}

/** Where and how the members of a cluster run. */
export interface ClusterOptions {
  /** Of the log of a member; in memory without. */
  readonly fileOf?: ((member: number) => string) | undefined;
  readonly consensus?: ConsensusOptions;
  /** What a member listens on at first; a later process of it takes the same port again. */
  readonly listenOf?: (member: number) => string;
  /** Runs a member's process, such as `['ip', 'netns', 'exec', name]`. */
  readonly launcherOf?: (member: number) => readonly string[];
}

const KEY = 'integration';
const CONSENSUS: ConsensusOptions = { snapshotEvery: 2_000, retainEntries: 500 };

/** The processes of a group; they end with the test. */
export class GroupCluster implements AsyncDisposable {
  readonly members: MemberProcess[] = [];
  readonly #count: number;
  readonly #options: ClusterOptions;

  constructor(count: number, options: ClusterOptions = {}) {
    this.#count = count;
    this.#options = options;
  }

  /** Starts the first, and the others at once, who are told of the first. */
  async start(): Promise<void> {
    this.members[0] = await this.startMember(0);
    const others = Array.from({ length: this.#count - 1 }, (_, position) => position + 1);
    await Promise.all(others.map((member) => this.restart(member)));
  }

  /** Starts a member whose process is gone. */
  async restart(member: number): Promise<void> {
    this.members[member] = await this.startMember(member);
  }

  /** A process as a member; not one of the cluster's by itself. */
  async startMember(member: number, options: Partial<GroupProcessOptions> = {}): Promise<MemberProcess> {
    const { fileOf, listenOf, launcherOf } = this.#options;
    const previous = this.members[member];
    const known = this.members.find((_, index) => index !== member);
    const argument: GroupProcessOptions = {
      network: 'integration groups',
      listen: [previous?.address ?? listenOf?.(member) ?? LOOPBACK],
      secretKey: `group member ${member}`,
      key: KEY,
      consensus: { founders: this.#count, ...CONSENSUS, ...this.#options.consensus },
      bootstrap: known === undefined ? [] : [known.address],
      ...(fileOf === undefined ? {} : { file: fileOf(member) }),
      ...options,
    };
    const child = await startChild('group', argument, launcherOf?.(member));
    const { peerId, addresses } = await child.call<{ peerId: PeerId; addresses: string[] }>('local');
    const [address = ''] = addresses.map((full) => full.replace(/\/p2p\/.*$/, ''));
    return Object.assign(child, { peerId, address, view: () => child.call<View>('view') });
  }

  /** Waits until all agree on a leader, all vote, and there is nobody else; returns which one leads. */
  untilWhole(deadlineMs: number): Promise<number> {
    return this.untilAgreed(this.members, deadlineMs, ({ learners }) => learners.length === 0);
  }

  /** Waits until these agree on a leader and are the voters, and something more; returns which one leads. */
  async untilAgreed(
    members: readonly MemberProcess[],
    deadlineMs: number,
    check: (view: View) => boolean = () => true,
  ): Promise<number> {
    let leader = -1;
    let seen: readonly View[] = [];
    await until('the members agree', deadlineMs, async () => {
      seen = await Promise.all(members.map((member) => member.view()));
      leader = this.members.findIndex(({ peerId }) => peerId === seen[0]?.leader);
      const isLedByOne = seen.every((view) => view.leader === this.members[leader]?.peerId);
      const areVoters = seen.every(({ voters }) => voters.length === members.length);
      return leader >= 0 && isLedByOne && areVoters && seen.every(check);
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
    });
    return leader;
  }

  /** Asks members for what they have, each after a strong query; all must have what was acknowledged, once. */
  audit(
    receipts: readonly Receipt[],
    members: readonly MemberProcess[] = this.members,
  ): Promise<readonly Audit[]> {
    return Promise.all(members.map((member) => member.call<Audit>('audit', receipts)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member?.[Symbol.asyncDispose]()));
  }
}

/** From now on. */
export interface CpuWaits {
  /** How long the process that had to wait longest was ready to run, and the machine ran something else. */
  longestMs(): Promise<number>;
}

export async function cpuWaits(members: readonly MemberProcess[]): Promise<CpuWaits> {
  const ask = (): Promise<readonly number[]> =>
    Promise.all(members.map((member) => member.call<number>('waitedForCpuMs')));
  const before = await ask();
  return {
    longestMs: async () => Math.max(...(await ask()).map((ms, index) => ms - (before[index] as number))),
  };
}
