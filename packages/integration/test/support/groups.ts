import type { PeerId } from '@mosaik/primitives';
import { type Child, startChild } from './child.ts';
import { LOOPBACK, type NodeOptions } from './nodes.ts';
import { until } from './wait.ts';

/** What a member is started with. */
export type GroupProcessOptions = NodeOptions & {
  /** Of its log; in memory without. */
  readonly file?: string;
  readonly founders: number;
  readonly bootstrap: readonly string[];
};

/** How a member sees the group. */
export interface GroupRole {
  readonly role: string;
  readonly leader: PeerId | undefined;
  readonly voters: number;
  /** Voters and learners. */
  readonly members: number;
  readonly applied: number;
  readonly why: string;
}

/** Keys `prefix` and a number, from one on. */
export interface WriteRequest {
  readonly prefix: string;
  readonly from: number;
  readonly count: number;
}

/** A member of a group, in a process of its own: `test/programs/group.ts`. */
export interface MemberProcess extends Child {
  readonly peerId: PeerId;
  readonly address: string;
  role(): Promise<GroupRole>;
}

/** The processes of a group; they end with the test. */
export class GroupCluster implements AsyncDisposable {
  readonly members: MemberProcess[] = [];
  readonly #count: number;
  readonly #fileOf: ((member: number) => string) | undefined;

  constructor(count: number, fileOf?: (member: number) => string) {
    this.#count = count;
    this.#fileOf = fileOf;
  }

  async start(): Promise<void> {
    for (let member = 0; member < this.#count; member++) this.members.push(await this.#startMember(member));
  }

  /** Starts a member again that was killed. */
  async restart(member: number): Promise<void> {
    this.members[member] = await this.#startMember(member);
  }

  /** Waits until all agree on a leader and all vote; returns which one leads. */
  async untilWhole(deadlineMs: number): Promise<number> {
    let leader = -1;
    let seen: unknown;
    await until('the group is whole', deadlineMs, async () => {
      const roles = await Promise.all(this.members.map((member) => member.role()));
      seen = roles;
      leader = roles.findIndex(({ role }) => role === 'leader');
      const isWhole = roles.every(
        (role) => role.voters === this.#count && role.members === this.#count && role.leader !== undefined,
      );
      return leader >= 0 && isWhole && new Set(roles.map((role) => role.leader)).size === 1;
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
    });
    return leader;
  }

  async #startMember(member: number): Promise<MemberProcess> {
    const file = this.#fileOf?.(member);
    const bootstrap = this.members
      .filter((other, index) => other !== undefined && index !== member)
      .map(({ address }) => address);
    const options: GroupProcessOptions = {
      network: 'integration groups',
      listen: [LOOPBACK],
      secretKey: `group member ${member}`,
      founders: this.#count,
      bootstrap,
      ...(file === undefined ? {} : { file }),
    };
    const child = await startChild('group', options);
    const local = await child.call<{ peerId: PeerId; addresses: string[] }>('local');
    return Object.assign(child, {
      peerId: local.peerId,
      address: local.addresses[0] ?? '',
      role: () => child.call<GroupRole>('role'),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member[Symbol.asyncDispose]()));
  }
}
