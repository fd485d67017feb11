import type { Message } from '../../../src/raft/messages.ts';
import type { MemberId } from '../../../src/raft/types.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

export interface NetworkFaults {
  loss: number;
  duplication: number;
  /** Longest delay of a message that is not held up; messages overtake each other. */
  delay: number;
  /** How likely a message is held up for many times as long. */
  stragglers: number;
}

export interface Network {
  readonly faults: NetworkFaults;
  /** Ordered pairs between which nothing gets through: cut links need not be cut both ways, nor make sense. */
  readonly cut: Set<string>;
  send(message: Message): void;
  /** What a member has sent and has not arrived never will: it went with the connections of a process that ended. */
  lose(from: MemberId): void;
  heal(): void;
}

export function linkOf(from: MemberId, to: MemberId): string {
  return `${from}>${to}`;
}

interface NetworkOptions {
  readonly schedule: Schedule;
  readonly random: Random;
  readonly faults: NetworkFaults;
  deliver(message: Message): void;
}

export function createNetwork({ schedule, random, faults, deliver }: NetworkOptions): Network {
  const cut = new Set<string>();
  const isCut = (message: Message): boolean => cut.size > 0 && cut.has(linkOf(message.from, message.to));
  const connections = new Map<MemberId, number>();
  const dispatch = (message: Message): void => {
    if (random.chance(faults.loss)) return;
    const connection = connections.get(message.from);
    const factor = random.chance(faults.stragglers) ? 40 : 1;
    schedule.after(1 + Math.floor(random.next() * faults.delay * factor), () => {
      if (!isCut(message) && connections.get(message.from) === connection) deliver(message);
    });
  };
  return {
    faults,
    cut,
    send(message) {
      if (isCut(message)) return;
      dispatch(message);
      if (random.chance(faults.duplication)) dispatch(message);
    },
    lose: (from) => connections.set(from, (connections.get(from) ?? 0) + 1),
    heal() {
      cut.clear();
      Object.assign(faults, { loss: 0, duplication: 0, stragglers: 0 });
    },
  };
}
