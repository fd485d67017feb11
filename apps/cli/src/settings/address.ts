import { isIPv4, isIPv6 } from 'node:net';
import type { Address } from 'mosaik';
import { usage } from '../failure.ts';

/**
 * An address as people write it: a multiaddr (`/ip4/10.0.0.1/tcp/4001`), or `host:port`.
 *
 * @throws {Failure} when it is neither.
 */
export function address(text: string): Address {
  if (/^\/[a-z0-9]+\/./.test(text) || text.startsWith('sim://')) return text;
  const [, host = '', port = ''] = /^\[?([^[\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535)
    throw usage(`"${text}" is no address`, 'write host:port, or /ip4/10.0.0.1/tcp/4001');
  if (isIPv4(host)) return `/ip4/${host}/tcp/${port}`;
  return isIPv6(host) ? `/ip6/${host}/tcp/${port}` : `/dns/${host}/tcp/${port}`;
}
