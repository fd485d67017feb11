import { networkId } from '@mosaik/primitives';
import { expect } from 'vitest';
import type { Suite } from './kit.ts';
import { addressOf } from './kit.ts';

/** Who a node is, and what it signs. */
export function identityTests({ test }: Suite): void {
  test('is the same peer whenever it has the same key', async (environment) => {
    const first = await environment.create({ key: 'one' });
    const { peerId } = first.local;
    await first.close();
    const again = await environment.create({ key: 'one' });
    const other = await environment.create({ key: 'two' });
    expect(again.local.peerId).toBe(peerId);
    expect(other.local.peerId).not.toBe(peerId);
    expect(peerId).toMatch(/^[0-9a-f]{64}$/);
  });

  test('knows its network and an address that others reach it at', async (environment) => {
    const [a, b] = [await environment.create({ network: 'n' }), await environment.create({ network: 'n' })];
    expect(a.local.network).toBe(networkId('n'));
    expect(await b.connect(addressOf(a))).toBe(a.local.peerId);
  });

  test('signs what others can verify', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    const data = Uint8Array.of(1, 2, 3);
    const signature = await a.local.sign(data);
    expect(signature).toHaveLength(64);
    expect(await b.verify(a.local.peerId, data, signature)).toBe(true);
    expect(await a.verify(a.local.peerId, data, signature)).toBe(true);
  });

  test('does not verify other data, another peer, or a changed signature', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    const data = Uint8Array.of(1, 2, 3);
    const signature = await a.local.sign(data);
    const changed = signature.slice();
    changed[10] = (changed[10] as number) ^ 1;
    expect(await b.verify(a.local.peerId, Uint8Array.of(1, 2, 4), signature)).toBe(false);
    expect(await b.verify(b.local.peerId, data, signature)).toBe(false);
    expect(await b.verify(a.local.peerId, data, changed)).toBe(false);
    expect(await b.verify(a.local.peerId, data, signature.slice(0, 63))).toBe(false);
    expect(await b.verify(a.local.peerId, data, new Uint8Array(0))).toBe(false);
  });
}
