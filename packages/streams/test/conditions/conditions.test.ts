import { AbortedError, InvalidArgumentError } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { inWorld, startNodes } from '../support/cluster.ts';
import { Items } from '../support/traffic.ts';

describe('the conditions of a producer', () => {
  it('count subscriptions', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann, bob, cid } = await startNodes(world, 'ann', 'bob', 'cid');
      const producer = ann.streams.producer(Items);
      const { subscribed, unsubscribed, online, offline } = producer.when();
      expect([subscribed(), online()].map(({ isMet }) => isMet)).toEqual([false, false]);
      expect([unsubscribed(), offline()].map(({ isMet }) => isMet)).toEqual([true, true]);
      expect(subscribed().minimumOf(0).isMet).toBe(true);
      const both = subscribed().minimumOf(2);
      const first = bob.streams.consumer(Items);
      await subscribed();
      expect(both.isMet).toBe(false);
      cid.streams.consumer(Items);
      await both;
      expect(both.description).toBe('at least 2 consumers');
      await first.close();
      await both.unmet();
      expect(subscribed().isMet).toBe(true);
      expect(() => subscribed().minimumOf(-1)).toThrow(InvalidArgumentError);
      expect(() => subscribed().minimumOf(1.5)).toThrow(InvalidArgumentError);
    });
  });

  it('reject who waits for them when it is closed', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const [producer, consumer] = [ann.streams.producer(Items), ann.streams.consumer(Items)];
      const waiting = [producer.when().subscribed().minimumOf(2), consumer.when().online()].map((condition) =>
        condition.wait(),
      );
      const told = Promise.allSettled(waiting);
      await Promise.all([producer.close(), consumer.close()]);
      expect(await told).toMatchObject([
        { reason: { code: 'ERR_CLOSED', message: 'the producer of items is closed' } },
        { reason: { code: 'ERR_CLOSED', message: 'the consumer of items is closed' } },
      ]);
      await producer.when().unsubscribed();
      await expect(consumer.when().subscribed().wait()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    });
  });

  it('follow the tags of peers that are connected', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann, bob, cid } = await startNodes(world, 'ann', 'bob', 'cid');
      const producer = ann.streams.producer(Items, {
        onlineWhen: (subscribed) => subscribed.minimumOf(2).withTags('validator'),
      });
      for (const { streams } of [bob, cid]) streams.consumer(Items);
      await producer.when().subscribed().minimumOf(2);
      expect(producer.when().online().isMet).toBe(false);
      expect(producer.why().text).toBe(
        'offline: needs at least 2 consumers with tag validator, 2 subscribed',
      );
      bob.discovery.addTags('validator');
      cid.discovery.addTags('validator', 'eu');
      await producer.when().online();
      const european = producer.when().subscribed().withTags('validator').withTags('eu');
      expect(european.isMet).toBe(true);
      expect(european.minimumOf(2).isMet).toBe(false);
      expect(european.description).toBe('at least 1 consumer with tags validator, eu');
      bob.discovery.removeTags('validator');
      await producer.when().offline();
      expect(producer.consumers).toHaveLength(2);
    });
  });

  it('take predicates; one that throws does not hold, and harms nobody', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      const { peerId } = bob.transport.local;
      const isBob = producer
        .when()
        .subscribed()
        .where(({ peer }) => peer === peerId);
      const never = isBob.where(() => false);
      const broken = producer
        .when()
        .subscribed()
        .where(() => {
          throw new Error('a bug of the user');
        });
      let changes = 0;
      broken.subscribe(() => changes++);
      bob.streams.consumer(Items);
      await isBob;
      expect([isBob.isMet, never.isMet, broken.isMet, changes]).toEqual([true, false, false, 0]);
      expect(never.description).toBe('at least 1 consumer that satisfy the predicate');
    });
  });

  it('arm again, and tell each change', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      const subscribed = producer.when().subscribed();
      const seen: boolean[] = [];
      const controller = new AbortController();
      const watching = (async () => {
        for await (const isMet of subscribed.transitions({ signal: controller.signal })) seen.push(isMet);
      })().catch((error: unknown) => error);
      for (let round = 0; round < 3; round++) {
        const consumer = bob.streams.consumer(Items);
        await subscribed;
        await consumer.close();
        await producer.when().unsubscribed();
      }
      await world.sleep(1);
      expect(seen).toEqual([false, true, false, true, false, true, false]);
      controller.abort();
      expect(await watching).toBeInstanceOf(AbortedError);
      const waiting = subscribed.wait({ signal: AbortSignal.abort() });
      await expect(waiting).rejects.toThrow(AbortedError);
      expect(subscribed.unmet().isMet).toBe(true);
      expect(subscribed.unmet().unmet().isMet).toBe(false);
    });
  });
});

describe('the conditions of a consumer', () => {
  it('are those of its producers', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { ann, bob, cid } = await startNodes(world, 'ann', 'bob', 'cid');
      const consumer = cid.streams.consumer(Items, { onlineWhen: (subscribed) => subscribed.minimumOf(2) });
      const first = ann.streams.producer(Items);
      await consumer.when().subscribed();
      expect(consumer.why().text).toBe('offline: needs at least 2 producers; 1 producer known, 1 subscribed');
      bob.streams.producer(Items);
      await consumer.when().online();
      expect(consumer.why()).toMatchObject({
        isOnline: true,
        text: 'online; 2 producers known, 2 subscribed',
      });
      bob.discovery.addTags('primary');
      await consumer.when().subscribed().withTags('primary');
      await first.close();
      await consumer.when().offline();
      bob.host.crash();
      await consumer.when().unsubscribed();
    });
  });
});
