import { describe, expect, it } from 'vitest';
import type { Block, Epoch, Journal } from '../../src/index.ts';
import { stream } from '../../src/index.ts';
import { inWorld, startNodes } from '../support/cluster.ts';

const Numbers = stream<number>('numbers');

/** Keeps a block when told to. */
function heldJournal(next = 0): Journal & { readonly blocks: Block[]; keep(): void; fail(): void } {
  const waiting: PromiseWithResolvers<void>[] = [];
  const blocks: Block[] = [];
  return {
    epoch: '00000000000000aa' as Epoch,
    next,
    blocks,
    append: (block) => {
      blocks.push(block);
      const pending = Promise.withResolvers<void>();
      waiting.push(pending);
      return pending.promise;
    },
    keep: () => waiting.shift()?.resolve(),
    fail: () => waiting.shift()?.reject(new Error('the disk is full')),
  };
}

describe('a producer with a journal', () => {
  it('is online without consumers, and sends when the datum is kept', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const journal = heldJournal(40);
      ann.streams.journal(Numbers, journal);
      const producer = ann.streams.producer(Numbers);
      expect(producer.position).toEqual({ epoch: journal.epoch, next: 40 });
      let isSent = false;
      const sent = producer.send(1).then(() => {
        isSent = true;
      });
      await world.sleep(100);
      expect(isSent).toBe(false);
      journal.keep();
      await sent;
      expect(journal.blocks.map(({ first, next }) => [first, next])).toEqual([[40, 41]]);
    });
  });

  it('shows consumers nothing that is not kept, and each its own part', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const journal = heldJournal();
      ann.streams.journal(Numbers, journal);
      const producer = ann.streams.producer(Numbers);
      const all = bob.streams.consumer(Numbers);
      await producer.when().subscribed();
      const first = producer.send(1);
      await world.until(() => journal.blocks.length === 1);
      const late = bob.streams.consumer(Numbers);
      await producer.when().subscribed().minimumOf(2);
      const second = producer.send(2);
      await world.until(() => journal.blocks.length === 2);
      expect(all.tryRecv()).toBeUndefined();
      journal.keep();
      journal.keep();
      await Promise.all([first, second]);
      expect([await all.recv(), await all.recv()]).toEqual([1, 2]);
      expect(await late.recv()).toBe(2);
      expect(late.stats.gaps).toBe(0);
    });
  });

  it('refuses everything once it has failed', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const journal = heldJournal();
      ann.streams.journal(Numbers, journal);
      const producer = ann.streams.producer(Numbers);
      const sent = producer.send(1);
      await world.until(() => journal.blocks.length === 1);
      journal.fail();
      await expect(sent).rejects.toThrow('the disk is full');
      await expect(producer.send(2)).rejects.toMatchObject({ code: 'ERR_JOURNAL_FAILED', datum: 2 });
      expect(() => producer.trySend(3)).toThrow('cannot be kept');
    });
  });

  it('ends the sequence of before in an orderly way', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Numbers);
      const consumer = bob.streams.consumer(Numbers);
      await producer.when().subscribed();
      await producer.send(1);
      const journal = heldJournal();
      ann.streams.journal(Numbers, journal);
      await producer.when().subscribed();
      const sent = producer.send(2);
      await world.until(() => journal.blocks.length === 1);
      journal.keep();
      await sent;
      expect([await consumer.recv(), await consumer.recv()]).toEqual([1, 2]);
      expect(consumer.stats.gaps).toBe(0);
    });
  });

  it('that is still at work when another one follows reaches nobody of the next sequence', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const first = heldJournal(500);
      const disposable = ann.streams.journal(Numbers, first);
      const producer = ann.streams.producer(Numbers);
      const consumer = bob.streams.consumer(Numbers);
      await producer.when().subscribed();
      const sent = producer.send(1);
      await world.until(() => first.blocks.length === 1);
      disposable[Symbol.dispose]();
      const second = producer.send(2);
      first.keep();
      await Promise.all([sent, second]);
      const records = consumer.records();
      const seen = [(await records.next()).value, (await records.next()).value];
      expect(seen).toMatchObject([
        { type: 'datum', datum: 1, sequence: 500, epoch: first.epoch },
        { type: 'datum', datum: 2, sequence: 0, epoch: producer.position.epoch },
      ]);
      expect(consumer.producers[0]?.stats.lastError).toBeUndefined();
    });
  });

  it('is waited for when the producer closes', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const journal = heldJournal();
      ann.streams.journal(Numbers, journal);
      const producer = ann.streams.producer(Numbers);
      const consumer = bob.streams.consumer(Numbers);
      await producer.when().subscribed();
      const sent = producer.send(1);
      await world.until(() => journal.blocks.length === 1);
      const closing = producer.close();
      await world.sleep(500);
      expect(consumer.tryRecv()).toBeUndefined();
      journal.keep();
      await Promise.all([sent, closing]);
      expect(await consumer.recv()).toBe(1);
      expect(consumer.stats.gaps).toBe(0);
    });
  });

  it('that has failed passes nothing on after the hole, and its consumers are told', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const journal = heldJournal();
      ann.streams.journal(Numbers, journal);
      const producer = ann.streams.producer(Numbers);
      const consumer = bob.streams.consumer(Numbers);
      await producer.when().subscribed();
      const lost = producer.send(1).catch((error: Error) => error.message);
      await world.until(() => journal.blocks.length === 1);
      const after = producer.send(2);
      await world.until(() => journal.blocks.length === 2);
      journal.fail();
      journal.keep();
      expect(await lost).toBe('the disk is full');
      await after;
      await world.sleep(100);
      expect(consumer.tryRecv()).toBeUndefined();
      const { producers } = consumer;
      expect(producers).toHaveLength(1);
      await producer.close();
      await world.until(() => consumer.producers.length === 0);
    });
  });
});
