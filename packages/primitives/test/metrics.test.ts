import {
  createNoopMeter,
  type MeterProvider,
  type ObservableCallback,
  metrics as openTelemetry,
} from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../src/metrics.ts';

/** An SDK that remembers what is given to it, and collects when told to. */
function installSdk() {
  const callbacks = new Map<ObservableCallback, string>();
  const recorded: unknown[] = [];
  const described: unknown[] = [];
  const observable = (kind: string) => (name: string, options: unknown) => {
    described.push([kind, name, options]);
    return {
      addCallback: (callback: ObservableCallback) => callbacks.set(callback, name),
      removeCallback: (callback: ObservableCallback) => callbacks.delete(callback),
    };
  };
  const meter = Object.assign(Object.create(createNoopMeter()), {
    createObservableCounter: observable('counter'),
    createObservableGauge: observable('gauge'),
    createHistogram: (name: string) => ({
      record: (value: number, attributes: unknown) => recorded.push([name, value, attributes]),
    }),
  });
  openTelemetry.setGlobalMeterProvider({ getMeter: () => meter } satisfies MeterProvider);
  const collect = (): unknown[] => {
    const observed: unknown[] = [];
    for (const [callback, name] of callbacks) {
      void callback({ observe: (value, attributes) => observed.push([name, value, attributes]) });
    }
    return observed;
  };
  return { collect, recorded, described };
}

afterEach(() => openTelemetry.disable());

describe('metrics', () => {
  it('count by labels, in any order of theirs', () => {
    const metrics = createMetrics();
    const refused = metrics.counter('refused');
    refused.add(1);
    refused.add(2, { code: 10413, stream: 'a' });
    refused.with({ stream: 'a', code: 10413 }).add(3);
    refused.add(1, { code: '10413', stream: 'a' });
    expect(metrics.snapshot()).toEqual({
      refused: [
        { labels: {}, value: 1 },
        { labels: { code: 10413, stream: 'a' }, value: 5 },
        { labels: { code: '10413', stream: 'a' }, value: 1 },
      ],
    });
  });

  it('hold gauges and distributions', () => {
    const metrics = createMetrics();
    const queued = metrics.gauge('queued');
    queued.set(5);
    queued.set(3);
    queued.with({ peer: 'near' }).set(7);
    const delay = metrics.histogram('delay');
    for (const value of [2, 1, 4]) delay.record(value);
    delay.with({ kind: 'x' }).record(9);
    expect(metrics.snapshot()).toEqual({
      queued: [
        { labels: {}, value: 3 },
        { labels: { peer: 'near' }, value: 7 },
      ],
      delay: [
        { labels: {}, value: 3, sum: 7, min: 1, max: 4 },
        { labels: { kind: 'x' }, value: 1, sum: 9, min: 9, max: 9 },
      ],
    });
  });

  it('are the same by the same name, and of one kind', () => {
    const metrics = createMetrics();
    expect(metrics.counter('a')).toBe(metrics.counter('a'));
    expect(() => metrics.gauge('a')).toThrow('name: a is a counter already');
  });

  it('bound the number of label sets', () => {
    const metrics = createMetrics({ maxSeries: 2 });
    const counter = metrics.counter('a');
    for (let peer = 0; peer < 1000; peer++) counter.add(1, { peer });
    counter.add(1, { peer: 0 });
    expect(metrics.snapshot()).toEqual({
      a: [
        { labels: { peer: 0 }, value: 2 },
        { labels: { peer: 1 }, value: 1 },
        { labels: { 'otel.metric.overflow': true }, value: 998 },
      ],
    });
  });
});

describe('metrics with an OpenTelemetry SDK', () => {
  it('are read when it collects', () => {
    const sdk = installSdk();
    const metrics = createMetrics({ attributes: { node: 'n1' } });
    const counter = metrics.counter('sent', { unit: 'By', description: 'bytes sent' });
    counter.add(10, { stream: 'a' });
    metrics.gauge('queued').set(4);
    expect(sdk.collect()).toEqual([
      ['sent', 10, { node: 'n1', stream: 'a' }],
      ['queued', 4, { node: 'n1' }],
    ]);
    counter.add(5, { stream: 'a' });
    expect(sdk.collect()).toContainEqual(['sent', 15, { node: 'n1', stream: 'a' }]);
    expect(sdk.described).toContainEqual(['counter', 'sent', { unit: 'By', description: 'bytes sent' }]);
  });

  it('hand on distributions at once', () => {
    const sdk = installSdk();
    const metrics = createMetrics({ attributes: { node: 'n1' } });
    metrics.histogram('delay').record(3, { kind: 'x' });
    expect(sdk.recorded).toEqual([['delay', 3, { node: 'n1', kind: 'x' }]]);
  });

  it('find one that is installed later, and then export what was counted before', () => {
    const metrics = createMetrics();
    const counter = metrics.counter('sent');
    const delay = metrics.histogram('delay');
    counter.add(7);
    delay.record(1);
    expect(metrics.attach()).toBe(false);
    const sdk = installSdk();
    expect(metrics.attach()).toBe(true);
    expect(metrics.attach()).toBe(true);
    delay.record(2);
    expect(sdk.collect()).toEqual([['sent', 7, {}]]);
    expect(sdk.recorded).toEqual([['delay', 2, {}]]);
  });

  it('find one at the next snapshot or metric', () => {
    const bySnapshot = createMetrics();
    bySnapshot.counter('a').add(1);
    const byMetric = createMetrics();
    byMetric.counter('b').add(2);
    const sdk = installSdk();
    bySnapshot.snapshot();
    byMetric.gauge('c').set(3);
    expect(sdk.collect()).toEqual([
      ['a', 1, {}],
      ['b', 2, {}],
      ['c', 3, {}],
    ]);
  });

  it('are no longer read once disposed, and count on', () => {
    const sdk = installSdk();
    const metrics = createMetrics();
    metrics.counter('sent').add(1);
    metrics.histogram('delay');
    metrics.dispose();
    metrics.counter('sent').add(1);
    metrics.histogram('delay').record(1);
    metrics.counter('new').add(1);
    expect(sdk.collect()).toEqual([]);
    expect(sdk.recorded).toEqual([]);
    expect(metrics.attach()).toBe(false);
    expect(metrics.snapshot()['sent']).toEqual([{ labels: {}, value: 2 }]);
  });
});
