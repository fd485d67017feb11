import { X509Certificate } from 'node:crypto';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { generateCertificate, verifyPeerCertificate } from '@libp2p/tls/utils';
import { systemRuntime } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { makeCertificate, peerOfCertificate } from '../../../src/libp2p/tls/certificate.ts';
import { element, elementsOf, sequence } from '../../../src/libp2p/tls/der.ts';

const HOUR_MS = 3_600_000;
const nowMs = systemRuntime.wallNow();
const key = await generateKeyPair('Ed25519');
const peer = peerIdFromPrivateKey(key);

async function derOf(privateKey: PrivateKey): Promise<Uint8Array> {
  return new X509Certificate((await makeCertificate(privateKey, systemRuntime)).cert).raw;
}

const der = await derOf(key);

describe('a certificate', () => {
  it('says whose it is', async () => {
    expect(await peerOfCertificate(der, { expected: peer, nowMs })).toEqual(peer);
  });

  it('is taken by libp2p, and that of libp2p here', async () => {
    expect(await verifyPeerCertificate(der, peer)).toEqual(peer);
    const theirs = new X509Certificate((await generateCertificate(key)).cert).raw;
    expect(await peerOfCertificate(theirs, { expected: peer, nowMs })).toEqual(peer);
  });

  it('names peers whose key is of another kind, too', async () => {
    const other = await generateKeyPair('secp256k1');
    const expected = peerIdFromPrivateKey(other);
    expect(await peerOfCertificate(await derOf(other), { expected, nowMs })).toEqual(expected);
  });

  it('of another peer than was expected is refused by name', async () => {
    const expected = peerIdFromPrivateKey(await generateKeyPair('Ed25519'));
    await expect(peerOfCertificate(der, { expected, nowMs })).rejects.toMatchObject({
      name: 'UnexpectedPeerError',
    });
  });

  it('is valid from an hour ago on, as clocks differ', async () => {
    await peerOfCertificate(der, { expected: peer, nowMs: nowMs - HOUR_MS + 1_000 });
    await expect(peerOfCertificate(der, { expected: peer, nowMs: nowMs - HOUR_MS - 1_000 })).rejects.toThrow(
      'not valid yet',
    );
  });

  it('that has expired is refused', async () => {
    const afterAll = Date.parse('9999-12-31T23:59:59Z') + 1_000;
    await expect(peerOfCertificate(der, { expected: peer, nowMs: afterAll })).rejects.toThrow('expired');
  });

  it('is refused with any bit of it turned around', async () => {
    for (let bit = 0; bit < 8 * der.length; bit++) {
      const bent = der.slice();
      bent[bit >> 3] = (bent[bit >> 3] as number) ^ (1 << (bit & 7));
      const taken = peerOfCertificate(bent, { expected: undefined, nowMs });
      await expect(taken, `bit ${bit}`).rejects.toMatchObject({ name: 'InvalidCryptoExchangeError' });
    }
  });

  it('is refused when it is cut off anywhere', async () => {
    for (let length = 0; length < der.length; length++) {
      const taken = peerOfCertificate(der.subarray(0, length), { expected: undefined, nowMs });
      await expect(taken, `${length} bytes`).rejects.toMatchObject({ name: 'InvalidCryptoExchangeError' });
    }
  });

  it("with another's words in it, signed by its own key, is refused", async () => {
    const thief = await generateKeyPair('Ed25519');
    // A thief that signs with a key of libp2p what the victim signed for another certificate.
    const stolen = await makeCertificate(withSignatureOf(thief, key, extensionSignature(der)), systemRuntime);
    const raw = new X509Certificate(stolen.cert).raw;
    await expect(peerOfCertificate(raw, { expected: undefined, nowMs })).rejects.toThrow('did not sign');
  });

  it('without the extension is refused', async () => {
    const { cert } = await makeCertificate(key, systemRuntime);
    const [certificate] = elementsOf(new X509Certificate(cert).raw);
    const [tbs, ...rest] = elementsOf(certificate?.content as Uint8Array);
    const bare = elementsOf(tbs?.content as Uint8Array).slice(0, -1);
    const raw = sequence(sequence(...bare.map(({ whole }) => whole)), ...rest.map(({ whole }) => whole));
    await expect(peerOfCertificate(raw, { expected: undefined, nowMs })).rejects.toMatchObject({
      name: 'InvalidCryptoExchangeError',
    });
  });
});

/** What the peer signed in a certificate. */
function extensionSignature(raw: Uint8Array): Uint8Array {
  // It is the last element of 64 bytes.
  const head = Buffer.from(element(0x04, new Uint8Array(64)).subarray(0, 2));
  const at = Buffer.from(raw).lastIndexOf(head);
  return raw.slice(at + 2, at + 66);
}

/** A key that shows the victim's public half, and the victim's signature of something else. */
function withSignatureOf(thief: PrivateKey, victim: PrivateKey, signature: Uint8Array): PrivateKey {
  return { ...thief, publicKey: victim.publicKey, sign: () => signature } as unknown as PrivateKey;
}
