import { format, inspect } from 'node:util';
import { InvalidArgumentError, systemRuntime, uniqueId } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { identityOf, verifySignature } from '../src/libp2p/identity.ts';
import { randomSecretKey, SecretKey, secretKey } from '../src/secret-key.ts';

const HEX = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const key = secretKey(HEX);

describe('a secret key', () => {
  it('is made from bytes, from hexadecimal characters of either case, and from text, which is hashed', () => {
    expect(key.toHex()).toBe(HEX);
    expect(secretKey(HEX.toUpperCase()).toHex()).toBe(HEX);
    expect(secretKey(key.toBytes()).toHex()).toBe(HEX);
    expect(secretKey('a demo').toHex()).toBe(uniqueId('a demo'));
    expect(secretKey(key)).toBe(key);
  });

  it.each([new Uint8Array(31), new Uint8Array(33), new Uint8Array(0), ''])('is not made from %o', (from) => {
    expect(() => secretKey(from)).toThrow(InvalidArgumentError);
  });

  it('is another one each time when it is random', () => {
    expect(randomSecretKey(systemRuntime).toHex()).not.toBe(randomSecretKey(systemRuntime).toHex());
  });

  it('keeps its bytes to itself', () => {
    const bytes = key.toBytes();
    const own = new SecretKey(bytes);
    bytes.fill(0);
    own.toBytes().fill(0);
    expect(own.toHex()).toBe(HEX);
  });

  it('shows nothing of them in whatever way it is printed', () => {
    const prints = [
      String(key),
      `${key}`,
      JSON.stringify({ key }),
      inspect(key, { showHidden: true, depth: null }),
      inspect({ nested: [key] }, { showHidden: true, depth: null, getters: true }),
      format('%s %o %O %j', key, key, key, key),
      Object.entries(key).join(),
      JSON.stringify(structuredClone(key)),
      new Error('with a key', { cause: key }).cause?.toString(),
    ];
    const bytes = [...key.toBytes()];
    for (const print of prints) {
      expect(print).not.toContain(HEX);
      expect(print).not.toContain(bytes.slice(0, 3).join(', '));
      expect(print).not.toContain(bytes.slice(0, 3).join(','));
    }
    expect(inspect({ key })).toBe('{ key: SecretKey(redacted) }');
  });
});

describe('an identity', () => {
  // RFC 8032 §7.1, test 1.
  const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
  const SIGNATURE =
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b';

  it('is the Ed25519 public key of the seed, and signs with it', async () => {
    const { peerId, privateKey, sign } = await identityOf(key);
    expect(peerId).toBe(PUBLIC);
    const signature = await privateKey.sign(new Uint8Array(0));
    expect(Buffer.from(signature).toString('hex')).toBe(SIGNATURE);
    expect(Buffer.from(sign(new Uint8Array(0))).toString('hex')).toBe(SIGNATURE);
    expect(await verifySignature(peerId, new Uint8Array(0), signature)).toBe(true);
    expect(await verifySignature(peerId, Uint8Array.of(1), signature)).toBe(false);
    expect(await verifySignature(peerId, new Uint8Array(0), signature.subarray(1))).toBe(false);
  });
});
