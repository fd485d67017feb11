import {
  ClosedError,
  createLog,
  createScope,
  type GroupId,
  InvalidArgumentError,
  type Scope,
  shortId,
  throwIfAborted,
  type WaitOptions,
} from '@mosaik/primitives';
import { BondHub } from './bonds/hub.ts';
import { groupIdOf, groupKey } from './bonds/key.ts';
import { proofKeyOf } from './bonds/proof.ts';
import { silentAfterMs } from './bonds/pulse.ts';
import type { Group } from './group.ts';
import { GroupHandle } from './handle.ts';
import type { StateMachine } from './machine/machine.ts';
import { Member } from './member/member.ts';
import {
  type ConsensusSettings,
  consensusSettings,
  DEFAULT_TICK_MS,
  type GroupsOptions,
  type GroupsTestOptions,
  type JoinOptions,
} from './options.ts';
import { memory } from './storage/memory.ts';
import type { Storage } from './storage/storage.ts';
import { Ticker, type Ticking } from './ticker.ts';
import { admission, ticketTerms } from './tickets.ts';

const log = createLog('groups');

/** How state is brought to members that lag; part of every group's id. */
const SYNC_SIGNATURE = 'log-and-snapshots/1';

/** The groups of a node. */
export interface Groups extends AsyncDisposable {
  /**
   * Joins a group: opens the log, and begins to bond with the other members. Resolves before a leader is known: see
   * `when()`.
   *
   * @throws {InvalidArgumentError} when an option is out of range, or this node is in the group already.
   * @throws {StorageError} when the log cannot be opened; one that is damaged is put aside instead.
   * @throws {ClosedError} when the groups of this node are closed, or are while this opens the log.
   *
   * Where it throws, the log is released, and the group may be joined again.
   */
  join<Command, Result, Query, Answer>(
    options: JoinOptions<Command, Result, Query, Answer>,
  ): Promise<Group<Command, Result, Query, Answer>>;
  /** The groups that this node is in. */
  readonly joined: ReadonlyMap<GroupId, Group<never, unknown, never, unknown>>;
  /** Leaves all groups, as {@link Group.close} does. The transport and discovery stay open: they are their owners'. */
  close(options?: WaitOptions): Promise<void>;
}

/**
 * Makes a node ready to be a member of groups.
 *
 * @throws {InvalidArgumentError} when an option is out of range.
 */
export function createGroups(options: GroupsOptions): Groups {
  return new GroupsNode(options);
}

/** The same, with rules that tests replace. */
export function createGroupsWith(options: GroupsOptions & GroupsTestOptions): Groups {
  return new GroupsNode(options);
}

/** Leaves a group when a signal fires, or has fired while it was being joined. */
function leaveWith(signal: AbortSignal | undefined, group: { close(): Promise<void> }, scope: Scope): void {
  if (signal === undefined) return;
  const onAbort = (): void => void group.close();
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  scope.onClose(() => signal.removeEventListener('abort', onAbort));
}

/** A group that is being joined. */
type Joining<Command, Result, Query, Answer> = JoinOptions<Command, Result, Query, Answer> & {
  readonly id: GroupId;
  readonly proofKey: Uint8Array;
  readonly settings: ConsensusSettings;
};

/** A group that was joined. */
type Joined<Command, Result, Query, Answer> = Joining<Command, Result, Query, Answer> & {
  readonly storage: Storage;
  readonly member: Member;
  readonly ticking: Ticking;
};

class GroupsNode implements Groups {
  readonly joined: Map<GroupId, Group<never, unknown, never, unknown>> = new Map();
  readonly #options: GroupsOptions & GroupsTestOptions;
  readonly #scope: Scope;
  readonly #hub: BondHub;
  readonly #ticker: Ticker;
  readonly #tickMs: number;
  /** Resolve when the group is joined, or all of it is let go. */
  readonly #joining = new Map<GroupId, Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(options: GroupsOptions & GroupsTestOptions) {
    const { transport, discovery, tickMs = DEFAULT_TICK_MS } = options;
    if (!(tickMs > 0)) throw new InvalidArgumentError('tickMs', `a number above 0, not ${tickMs}`);
    this.#options = options;
    this.#tickMs = tickMs;
    this.#scope = createScope({
      runtime: transport.runtime,
      name: 'groups',
      onError: (error, where) => log.error('%s: %s', where, error.stack ?? error.message),
    });
    this.#hub = new BondHub({ scope: this.#scope, transport, discovery, options: options.bonds });
    this.#hub.start();
    this.#ticker = new Ticker(this.#scope, tickMs);
  }

  async join<Command, Result, Query, Answer>(
    options: JoinOptions<Command, Result, Query, Answer>,
  ): Promise<Group<Command, Result, Query, Answer>> {
    throwIfAborted(options.signal, 'joining a group');
    const settings = consensusSettings(options.consensus, this.#tickMs);
    const key = groupKey(options.key);
    const id = groupIdOf(key, {
      founders: settings.founders,
      machineSignature: options.machine.signature,
      syncSignature: SYNC_SIGNATURE,
      ticketRules: ticketTerms(options.ticketRules),
    });
    if (this.joined.has(id) || this.#joining.has(id))
      throw new InvalidArgumentError('key', `of a group that this node is not in yet: ${shortId(id)}`);
    const scope = this.#scope.child(shortId(id));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#joining.set(id, promise);
    try {
      return await this.#joinIn(scope, { ...options, id, proofKey: proofKeyOf(key), settings });
    } finally {
      this.#joining.delete(id);
      resolve();
    }
  }

  async #joinIn<Command, Result, Query, Answer>(
    scope: Scope,
    options: Joining<Command, Result, Query, Answer>,
  ): Promise<Group<Command, Result, Query, Answer>> {
    const { id, storage = memory() } = options;
    const { transport } = this.#options;
    let ticking: Ticking | undefined;
    const member = new Member({
      id,
      proofKey: options.proofKey,
      self: transport.local.peerId,
      scope,
      metrics: transport.metrics,
      settings: options.settings,
      machine: options.machine as StateMachine<unknown, unknown, unknown, unknown>,
      storage,
      acceptIf: admission(options, transport.runtime),
      rules: this.#options.rules,
      watchCore: this.#options.watchCore,
      bond: (group) => this.#hub.join(group),
      silentAfterMs: silentAfterMs(this.#hub.settings),
      ticking: () => ticking,
      isExpectingOthers: () => this.#isExpectingOthers(member),
    });
    try {
      await member.start();
      if (this.#closing !== undefined) throw new ClosedError('the groups of this node are closed');
      ticking = this.#ticker.add(member);
      return this.#handle(scope, { ...options, storage, member, ticking });
    } catch (thrown) {
      ticking?.[Symbol.dispose]();
      await member.release();
      await scope.close();
      throw thrown;
    }
  }

  /** Makes a member that has started known to everybody. */
  #handle<Command, Result, Query, Answer>(
    scope: Scope,
    options: Joined<Command, Result, Query, Answer>,
  ): Group<Command, Result, Query, Answer> {
    const { id, name, storage, member, ticking } = options;
    const { transport, discovery } = this.#options;
    const advertised = discovery.advertise({ kind: 'group', id, ...(name ? { name } : {}) });
    const handle = new GroupHandle<Command, Result, Query, Answer>({
      member,
      durability: storage.durability,
      rtt: (peer) => transport.rtt(peer),
      onClosed: () => {
        ticking[Symbol.dispose]();
        advertised[Symbol.dispose]();
        this.joined.delete(id);
        void scope.close();
      },
    });
    this.joined.set(id, handle as unknown as Group<never, unknown, never, unknown>);
    leaveWith(options.signal, handle, scope);
    log('joined %s (%s), %s', name ?? shortId(id), storage.durability, storage.description);
    return handle;
  }

  async close(options: WaitOptions = {}): Promise<void> {
    // Those that are being left already are to hear of the signal, too.
    const left = Promise.all([...this.joined.values()].map((group) => group.close(options)));
    this.#closing ??= this.#close(left);
    await Promise.all([left, this.#closing]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(left: Promise<unknown>): Promise<void> {
    await left;
    this.#hub.close('closing');
    await this.#scope.close();
    await Promise.all(this.#joining.values());
  }

  #isExpectingOthers(member: Member): boolean {
    for (const peer of this.#options.discovery.catalog) {
      if (!peer.groups.includes(member.id) || member.peers.get(peer.peer) !== undefined) continue;
      if (member.acceptIf(peer)) return true;
    }
    return false;
  }
}
