// A cluster by hand: nothing moves but what a test says, and everything that comes out is noted.

import { createRaft } from '../../src/raft/create.ts';
import type { Message } from '../../src/raft/messages.ts';
import type { Output, Persist, Raft, RaftOptions } from '../../src/raft/raft.ts';
import type { Configuration, Entry, HardState, LogIndex, MemberId, Term } from '../../src/raft/types.ts';
import { describeOutput } from './describe.ts';
import { type Disk, storedState, writeDisk } from './sim/disk.ts';

export const id = (name: string): MemberId => name as MemberId;
export const at = (index: number): LogIndex => index as LogIndex;
export const inTerm = (term: number): Term => term as Term;
export const ids = (names: string): MemberId[] => [...names].map(id).sort();

export function configuration(voters: string, learners = ''): Configuration {
  return { voters: ids(voters), learners: ids(learners) };
}

export function text(data: Uint8Array): string {
  return String.fromCharCode(...data);
}

export function bytes(content: string): Uint8Array {
  return Uint8Array.from(content, (character) => character.charCodeAt(0));
}

/** Entries of these terms, from index 1 on: how the figures of the paper draw a log. */
export function logOf(...terms: number[]): Entry[] {
  return terms.map((term, place) => entry(place + 1, term, `${place + 1}/${term}`));
}

export function entry(index: number, term: number, content = ''): Entry {
  return { index: at(index), term: inTerm(term), kind: 'command', data: bytes(content) };
}

export interface Start {
  readonly voters?: string;
  readonly learners?: string;
  readonly term?: number;
  readonly vote?: string | undefined;
  readonly entries?: readonly Entry[];
  readonly options?: Partial<RaftOptions>;
}

/** A member, its disk, and what it did. */
export class Node {
  readonly id: MemberId;
  readonly disk: Disk;
  raft: Raft;
  /** Writes that wait, while the disk is held. */
  readonly writing: Persist[] = [];
  isHeld = false;
  /** The machine applies nothing that it is given. */
  isMachineHeld = false;
  readonly applied: Entry[] = [];
  readonly outputs: Output[] = [];
  readonly #options: Partial<RaftOptions>;
  /** Always the same, another for each: their election timeouts are 10, 11, 12… ticks. */
  readonly #chance: number;

  constructor(name: string, { voters = '', learners = '', ...start }: Start) {
    this.id = id(name);
    const { entries = [], term = entries.at(-1)?.term ?? 0, vote } = start;
    const hardState: HardState = { term: inTerm(term), vote: vote === undefined ? undefined : id(vote) };
    const meta = { index: at(0), term: inTerm(0), configuration: configuration(voters, learners) };
    this.disk = {
      hardState,
      snapshot: { meta, state: { index: 0, chain: 0 } },
      staged: new Map(),
      log: { base: { index: at(0), term: inTerm(0) }, entries: [...entries] },
    };
    this.#options = start.options ?? {};
    this.#chance = Math.max(0, Math.max('abcdefg'.indexOf(name), '1234567'.indexOf(name))) / 10;
    this.raft = this.#create();
  }

  restart(): void {
    this.writing.length = 0;
    this.applied.length = 0;
    this.raft = this.#create();
  }

  /** The log as it is in the member's mind: on disk, or on its way. */
  terms(): number[] {
    const log = { base: this.disk.log.base, entries: [...this.disk.log.entries] };
    const disk = { ...this.disk, log, staged: new Map(this.disk.staged) };
    for (const persist of this.writing) writeDisk(disk, persist);
    return log.entries.map((each) => each.term);
  }

  #create(): Raft {
    return createRaft({
      ...this.#options,
      id: this.id,
      random: () => this.#chance,
      stored: storedState(this.disk),
    });
  }
}

/** Members and the messages between them, which wait in `wire` until they are delivered. */
export class Cluster {
  readonly nodes: Map<MemberId, Node> = new Map();
  wire: Message[] = [];
  readonly trace: string[] = [];
  readonly cut: Set<string> = new Set();

  add(name: string, start: Start): Node {
    const node = new Node(name, start);
    this.nodes.set(node.id, node);
    return node;
  }

  node(name: string): Node {
    return this.nodes.get(id(name))!;
  }

  raft(name: string): Raft {
    return this.node(name).raft;
  }

  /** Gives a member an input, and does what it says, disk and machine included, at once. */
  input<T>(name: string, act: (raft: Raft) => T): T {
    const node = this.node(name);
    const result = act(node.raft);
    this.#settle(node);
    return result;
  }

  tick(name: string, count = 1): void {
    for (let done = 0; done < count; done++) this.input(name, (raft) => raft.tick());
  }

  /** A member hears nothing for an election timeout, and stands; nobody else's time passes. */
  timeout(name: string): void {
    const { role } = this.raft(name).status;
    const sent = this.wire.length;
    for (let ticks = 0; ticks < 100; ticks++) {
      this.tick(name);
      if (this.raft(name).status.role !== role || this.wire.length > sent) return;
    }
    throw new Error(`${name} does not stand`);
  }

  /** Time passes for all alike, messages arriving in between. */
  pass(ticks: number): void {
    for (let done = 0; done < ticks; done++) {
      for (const node of this.nodes.values()) this.tick(node.id);
      this.deliver();
    }
  }

  /** Delivers what is on the wire, and what comes of it, until all is quiet; or only that from some to others. */
  deliver(isWanted: (message: Message) => boolean = () => true): void {
    for (let rounds = 0; rounds < 1000; rounds++) {
      const wanted = this.wire.filter(isWanted);
      if (wanted.length === 0) return;
      this.wire = this.wire.filter((message) => !wanted.includes(message));
      for (const message of wanted) this.receive(message);
    }
    throw new Error('the wire does not become quiet');
  }

  receive(message: Message): void {
    if (this.cut.has(`${message.from}>${message.to}`) || !this.nodes.has(message.to)) return;
    this.input(message.to, (raft) => raft.step(message));
  }

  /** What is on the wire is lost. */
  drop(isLost: (message: Message) => boolean = () => true): void {
    this.wire = this.wire.filter((message) => !isLost(message));
  }

  /** No message gets from one side to the other; `>` cuts one direction only. */
  separate(from: string, to: string, how: '|' | '>' = '|'): void {
    for (const a of from) {
      for (const b of to) {
        this.cut.add(`${a}>${b}`);
        if (how === '|') this.cut.add(`${b}>${a}`);
      }
    }
  }

  hold(name: string): void {
    this.node(name).isHeld = true;
  }

  /** The held disk does its work. */
  sync(name: string): void {
    const node = this.node(name);
    node.isHeld = false;
    this.#write(node);
    this.#settle(node);
  }

  /** The held machine applies what it was given. */
  resume(name: string): void {
    const node = this.node(name);
    node.isMachineHeld = false;
    const last = node.applied.at(-1);
    if (last) this.input(name, (raft) => raft.appliedTo(last.index));
  }

  /** Loses what is not written, and starts again from the disk. */
  crash(name: string): void {
    this.node(name).isHeld = false;
    this.node(name).restart();
    this.drop((message) => message.from === id(name) || message.to === id(name));
  }

  /** Makes a member the leader, by an election that reaches all it can. */
  elect(name: string): void {
    this.timeout(name);
    this.deliver();
  }

  leaders(): string[] {
    return [...this.nodes.values()]
      .filter(({ raft }) => raft.status.role === 'leader')
      .map((node) => node.id);
  }

  #settle(node: Node): void {
    for (;;) {
      const output = node.raft.takeOutput();
      const lines = describeOutput(node.id, output);
      if (lines.length === 0) return;
      this.trace.push(...lines);
      this.#carryOut(node, output);
    }
  }

  #carryOut(node: Node, output: Output): void {
    node.outputs.push(output);
    this.wire.push(...output.messages);
    if (output.persist) node.writing.push(output.persist);
    if (!node.isHeld) this.#write(node);
    if (output.restore) node.raft.appliedTo(output.restore.index);
    node.applied.push(...output.committed);
    const last = output.committed.at(-1);
    if (last && !node.isMachineHeld) node.raft.appliedTo(last.index);
  }

  #write(node: Node): void {
    for (const persist of node.writing.splice(0)) {
      writeDisk(node.disk, persist);
      node.raft.persisted(persist.token);
    }
  }
}

/** Voters who know each other from the beginning. */
export function founded(names: string, options: Partial<RaftOptions> = {}): Cluster {
  const cluster = new Cluster();
  for (const name of names) cluster.add(name, { voters: names, options });
  return cluster;
}
