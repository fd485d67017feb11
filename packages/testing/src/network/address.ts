import { InvalidArgumentError, isUniqueId, type PeerId } from '@mosaik/primitives';
import type { Address } from '@mosaik/transport';

/** The parts of `sim://<host>[:<port>][/<peerId>]`. */
export interface SimAddress {
  readonly host: string;
  /** The first transport of a process has port 1, which is left out in the text; the next one 2. */
  readonly port: number;
  readonly peer: PeerId | undefined;
}

const FIRST_PORT = 1;
const PATTERN = /^sim:\/\/([^/:\s]+)(?::(\d{1,5}))?(?:\/([^/\s]+))?$/;

/** @throws {InvalidArgumentError} when it is not an address of the simulation. */
export function parseAddress(address: Address): SimAddress {
  const match = PATTERN.exec(address);
  const [, host, port, peer] = match ?? [];
  const isPeer = (text: string): text is PeerId => isUniqueId(text);
  if (host === undefined || (peer !== undefined && !isPeer(peer))) {
    throw new InvalidArgumentError('address', `sim://host or sim://host/peerId, not "${address}"`);
  }
  return { host, port: port === undefined ? FIRST_PORT : Number(port), peer };
}

export function formatAddress({ host, port, peer }: SimAddress): Address {
  const place = port === FIRST_PORT ? `sim://${host}` : `sim://${host}:${port}`;
  return peer === undefined ? place : `${place}/${peer}`;
}
