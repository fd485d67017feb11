/** A program of your own: seats that are booked on any node, each by one person at most. */
import { CommandRejectedError, type Group, machine, type Network } from 'mosaik';

interface Booking {
  readonly seat: string;
  readonly by: string;
}

export type Seats = Group<Booking, string, null, Record<string, string>>;

const Plan = machine({
  signature: 'examples.seats/1',
  initial: () => ({ holders: new Map<string, string>() }),
  apply({ holders }: { holders: Map<string, string> }, { seat, by }: Booking) {
    if (holders.has(seat)) throw new CommandRejectedError('taken');
    holders.set(seat, by);
    return seat;
  },
  query: ({ holders }: { holders: Map<string, string> }, _query: null) => Object.fromEntries(holders),
});

/** Takes part in the booking; where the network comes from is for others to say. */
export async function joinBooking(node: Network): Promise<Seats> {
  return await node.groups.join({ key: 'of the box office', machine: Plan, consensus: { founders: 3 } });
}
