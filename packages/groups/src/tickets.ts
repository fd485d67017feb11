import type { PeerInfo, Ticket } from '@mosaik/discovery';
import type { Runtime, UniqueId } from '@mosaik/primitives';

/** Which tickets let a peer into a group: what is checked, and a name for it that members agree upon. */
export interface TicketRules {
  /**
   * What the rules are, and their version, such as `paid by the operator/1`. Part of the group's id, with the class: members with
   * other rules are in another group. Change it with the rules.
   */
  readonly signature: string;
  /** The tickets that are looked at. */
  readonly class: UniqueId;
  /**
   * Whether a ticket lets in the peer that carries it. Synchronous; asked once for each ticket of an entry, which is every 15 s at the
   * least, and never for one that has expired. One that throws lets nobody in. A ticket is public: bind it to the peer, such as by a
   * signature over its id.
   */
  isValid(ticket: Ticket, peer: PeerInfo): boolean;
}

/** What of the rules goes into the group's id; a text stands for rules that `acceptIf` alone knows. */
export function ticketTerms(rules: TicketRules | string | undefined): string {
  if (rules === undefined || typeof rules === 'string') return rules ?? '';
  return `${rules.signature}\n${rules.class}`;
}

interface Admission {
  readonly ticketRules?: TicketRules | string | undefined;
  readonly acceptIf?: ((peer: PeerInfo) => boolean) | undefined;
}

type Accept = (peer: PeerInfo) => boolean;

/** Whether a peer may be a member, by its tickets and by `acceptIf`; undefined when everybody may who has the key. */
export function admission({ ticketRules, acceptIf }: Admission, runtime: Runtime): Accept | undefined {
  if (ticketRules === undefined || typeof ticketRules === 'string') return acceptIf;
  const hasTicket = ticketCheck(ticketRules, runtime);
  return (peer) => hasTicket(peer) && (acceptIf?.(peer) ?? true);
}

function ticketCheck(rules: TicketRules, runtime: Runtime): Accept {
  // Peers are looked at every second, and a signature takes long to check.
  const known = new WeakMap<Ticket, boolean>();
  const isValid = (ticket: Ticket, peer: PeerInfo): boolean => {
    const answer = known.get(ticket) ?? rules.isValid(ticket, peer);
    known.set(ticket, answer);
    return answer;
  };
  return (peer) => peer.ticketsOf(rules.class, runtime.wallNow()).some((ticket) => isValid(ticket, peer));
}
