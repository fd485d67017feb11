import {
  DecodeError,
  decodeCbor,
  encodeCanonical,
  ID_BYTES,
  idFromBytes,
  idToBytes,
  type UniqueId,
} from '@mosaik/primitives';
import type { PeerEntry, Ticket } from './peer-entry.ts';

/** The format of entries that this version writes. It reads later ones too: new fields are added, not changed. */
export const ENTRY_FORMAT = 1;

/** Bounds of one entry; a list over its bound makes the entry malformed. */
export const ENTRY_LIMITS = {
  addresses: 32,
  addressCharacters: 512,
  ids: 2048,
  tickets: 64,
  ticketBytes: 16384,
  names: 1024,
  nameCharacters: 128,
} as const;

/** The fields of an entry on the wire (docs/wire.md); a reader skips those it does not know. */
export function encodeEntry(entry: PeerEntry): Uint8Array {
  return encodeCanonical({
    v: entry.format,
    n: idToBytes(entry.network),
    p: idToBytes(entry.peer),
    s: entry.version.start,
    u: entry.version.update,
    a: entry.addresses,
    t: entry.tags.map(idToBytes),
    st: entry.streams.map(idToBytes),
    g: entry.groups.map(idToBytes),
    so: entry.stores.map(idToBytes),
    k: entry.tickets.map(encodeTicket),
    nm: entry.names,
    d: entry.isDeparted,
  });
}

function encodeTicket(ticket: Ticket): unknown[] {
  return [idToBytes(ticket.class), ticket.data, ticket.expiresAtMs ?? null];
}

/**
 * Reads an entry.
 *
 * @throws {DecodeError} when it is not decodable, a field is missing or of another type, or a list is over its bound.
 */
export function decodeEntry(payload: Uint8Array): PeerEntry {
  const fields = decodeCbor(payload, { maxDepth: 8, maxItems: 16_384, int64: 'number' });
  if (!isRecord(fields)) throw wrong('entry', 'a map');
  const start = time('start', fields['s']);
  const update = time('update', fields['u']);
  if (start > update) throw wrong('update', 'not before start');
  return {
    format: time('format', fields['v']),
    network: id('network', fields['n']),
    peer: id('peer', fields['p']),
    version: { start, update },
    addresses: list('addresses', fields['a'], ENTRY_LIMITS.addresses, address),
    tags: ids('tags', fields['t']),
    streams: ids('streams', fields['st']),
    groups: ids('groups', fields['g']),
    stores: ids('stores', fields['so']),
    tickets: list('tickets', fields['k'], ENTRY_LIMITS.tickets, ticket),
    names: names(fields['nm']),
    isDeparted: fields['d'] === true,
  };
}

function wrong(field: string, expected: string): DecodeError {
  return new DecodeError('schema', `${field} of an entry: ${expected}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function time(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(field, 'a whole number of 0 or more');
}

function id<Id extends UniqueId>(field: string, value: unknown): Id {
  if (value instanceof Uint8Array && value.length === ID_BYTES) return idFromBytes<Id>(value);
  throw wrong(field, `${ID_BYTES} bytes`);
}

function list<T>(
  field: string,
  value: unknown,
  max: number,
  item: (field: string, value: unknown) => T,
): T[] {
  if (!Array.isArray(value) || value.length > max) throw wrong(field, `a list of at most ${max}`);
  return value.map((one) => item(field, one));
}

function ids<Id extends UniqueId>(field: string, value: unknown): Id[] {
  return list(field, value, ENTRY_LIMITS.ids, (name, one) => id<Id>(name, one));
}

function address(field: string, value: unknown): string {
  return text(field, value, ENTRY_LIMITS.addressCharacters);
}

function text(field: string, value: unknown, max: number): string {
  if (typeof value === 'string' && value.length <= max) return value;
  throw wrong(field, `text of at most ${max} characters`);
}

function ticket(field: string, value: unknown): Ticket {
  const [kind, data, expiresAtMs] = Array.isArray(value) ? value : [];
  if (!(data instanceof Uint8Array) || data.length > ENTRY_LIMITS.ticketBytes) {
    throw wrong(field, `data of at most ${ENTRY_LIMITS.ticketBytes} bytes`);
  }
  const base = { class: id(field, kind), data };
  return expiresAtMs === null ? base : { ...base, expiresAtMs: time(field, expiresAtMs) };
}

function names(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw wrong('names', 'a map');
  const entries = Object.entries(value);
  if (entries.length > ENTRY_LIMITS.names) throw wrong('names', `at most ${ENTRY_LIMITS.names}`);
  return Object.fromEntries(
    entries.map(([key, name]) => [text('names', key, 64), text('names', name, ENTRY_LIMITS.nameCharacters)]),
  );
}
