import { describeCloseCode } from '../codes.ts';

/** How a link ended. Each way a conversation can break off has a kind of its own, as each wants another answer. */
export type LinkEnd =
  /** One side closed it, on purpose. */
  | {
      readonly kind: 'closed';
      readonly by: 'local' | 'remote';
      readonly code: number;
      readonly reason: string;
    }
  /** The other side sent what is not allowed; it was told the same code. */
  | { readonly kind: 'violation'; readonly code: number; readonly reason: string }
  /** The link alone was torn down, without a word; the connection may live on. */
  | { readonly kind: 'reset'; readonly reason: string }
  /** The connection ended without a goodbye: the process at the other end is gone. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** Nothing was heard from the peer for longer than the configured time. */
  | { readonly kind: 'silent'; readonly reason: string };

/** Whether a reader should see the end as the normal end of the messages, and not as an error. */
export function isCleanEnd(end: LinkEnd): boolean {
  return end.kind === 'closed' && (end.by === 'local' || end.code === 0);
}

/** One line for logs and error messages. */
export function describeLinkEnd(end: LinkEnd): string {
  switch (end.kind) {
    case 'closed':
      return `link closed by the ${end.by} side: ${end.reason || describeCloseCode(end.code)} (${end.code})`;
    case 'violation':
      return `link closed because the other side broke the protocol: ${end.reason} (${end.code})`;
    case 'reset':
    case 'lost':
    case 'silent':
      return `link ${end.kind}: ${end.reason}`;
  }
}
