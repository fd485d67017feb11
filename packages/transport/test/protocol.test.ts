import { bytesCodec, InvalidArgumentError, networkId, uniqueId } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { PeerUnreachableError, WrongPeerError } from '../src/errors.ts';
import { dialError, nameAddress, parseAddress } from '../src/libp2p/address.ts';
import { AddressBook } from '../src/libp2p/address-book.ts';
import { toLibp2pPeerId } from '../src/libp2p/identity.ts';
import { limitsOf } from '../src/libp2p/options.ts';
import { protocol, protocolId } from '../src/protocol.ts';

const codec = bytesCodec;

describe('a protocol', () => {
  it('has the defaults that are documented', () => {
    expect(protocol({ name: 'a/b-1', codec })).toEqual({
      name: 'a/b-1',
      version: 1,
      codec,
      priority: 'bulk',
      maxFrameBytes: 16 * 1024 * 1024,
      sendBufferBytes: 256 * 1024,
      receiveBufferBytes: 256 * 1024,
    });
  });

  it.each(['', '/a', 'a/', 'a//b', 'A', 'a b', 'ä'])('is not named "%s"', (name) => {
    expect(() => protocol({ name, codec })).toThrow(InvalidArgumentError);
  });

  it.each([
    { version: 0 },
    { version: 1.5 },
    { maxFrameBytes: 2 ** 31 },
    { sendBufferBytes: 0 },
    { receiveBufferBytes: Number.NaN },
  ])('does not take %o', (option) => {
    expect(() => protocol({ name: 'a', codec, ...option })).toThrow(InvalidArgumentError);
  });

  it('is negotiated by network, name and version', () => {
    const network = networkId('one');
    expect(protocolId(network, { name: 'a/b', version: 3 })).toBe(`/mosaik/${network}/a/b/3`);
  });
});

describe('an address', () => {
  const peer = uniqueId<never>('5866666666666666666666666666666666666666666666666666666666666666');

  const other = uniqueId<never>('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');

  it('is a multiaddr', () => {
    expect(parseAddress('/ip4/10.0.0.1/tcp/4000').toString()).toBe('/ip4/10.0.0.1/tcp/4000');
    expect(() => parseAddress('10.0.0.1:4000')).toThrow(InvalidArgumentError);
  });

  it('is named by the peer, unless it is', () => {
    const named = `/ip4/10.0.0.1/tcp/4000/p2p/${toLibp2pPeerId(peer).toString()}`;
    expect(nameAddress('/ip4/10.0.0.1/tcp/4000', peer)).toBe(named);
    expect(nameAddress(named, peer)).toBe(named);
    expect(
      nameAddress(`/ip4/10.0.0.1/tcp/4000/p2p/${toLibp2pPeerId(other).toString()}`, peer),
    ).toBeUndefined();
  });

  it('of a relay is not taken for the name of the peer behind it', () => {
    const relay = `/ip4/10.0.0.9/tcp/1/p2p/${toLibp2pPeerId(other).toString()}`;
    const named = `${relay}/p2p-circuit/p2p/${toLibp2pPeerId(peer).toString()}`;
    expect(nameAddress(`${relay}/p2p-circuit`, peer)).toBe(named);
    expect(nameAddress(named, peer)).toBe(named);
  });

  it('that another peer answers is told from one where nobody does', () => {
    const other = new Error('x does not match expected remote identity key y');
    expect(dialError('a', ['a'], other)).toBeInstanceOf(WrongPeerError);
    expect(dialError('a', ['a'], new AggregateError([new Error('z'), other], 'all failed'))).toBeInstanceOf(
      WrongPeerError,
    );
    const refused = dialError('a', ['a'], new Error('ECONNREFUSED'));
    expect(refused).toBeInstanceOf(PeerUnreachableError);
    expect(refused.message).toBe('cannot reach a: tried a (ECONNREFUSED)');
  });
});

describe('an address book', () => {
  const a = uniqueId<never>('a');

  it('has what it was told first, then what was found, each once', () => {
    const book = new AddressBook();
    book.find(a, ['/x', '/y']);
    book.tell(a, ['/z', '/x']);
    expect(book.of(a)).toEqual(['/z', '/x', '/y']);
    book.tell(a, ['/w']);
    expect(book.of(a)).toEqual(['/w', '/x', '/y']);
    book.tell(a, []);
    expect(book.of(a)).toEqual([]);
  });

  it('remembers a bounded number of found peers, those found last', () => {
    const book = new AddressBook();
    for (let n = 0; n < 1_001; n++) book.find(uniqueId(`peer ${n}`), ['/x']);
    expect([
      book.of(uniqueId('peer 0')),
      book.of(uniqueId('peer 1')),
      book.of(uniqueId('peer 1000')),
    ]).toEqual([[], ['/x'], ['/x']]);
  });
});

describe('the limits of a transport', () => {
  const options = { network: 'n', secretKey: 's' };

  it('have the defaults that are documented', () => {
    expect(limitsOf(options)).toEqual({
      silenceMs: 5_000,
      dialTimeoutMs: 10_000,
      maxConnections: 1_000,
      streamWindowBytes: 1024 * 1024,
    });
  });

  it.each([
    { silenceMs: 99 },
    { dialTimeoutMs: Number.NaN },
    { maxConnections: 0 },
    { streamWindowBytes: 4 * 1024 * 1024 + 1 },
  ])('do not take %o', (option) => {
    expect(() => limitsOf({ ...options, ...option })).toThrow(InvalidArgumentError);
  });
});
