import type { Link } from '@mosaik/transport';
import type { Discovery } from '../discovery.ts';

/**
 * Keeps the connection that a link goes over from being let go as one too many, until the link ends. For each side of a link
 * that is to last: either may have more connections than it needs itself.
 */
export function pinWhileOpen<L extends Pick<Link<never>, 'peer' | 'ended'>>(
  discovery: Pick<Discovery, 'pin'>,
  link: L,
): L {
  const pin = discovery.pin(link.peer);
  void link.ended.then(() => pin[Symbol.dispose]());
  return link;
}
