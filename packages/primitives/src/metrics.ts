import { createNoopMeter, type Meter, metrics as openTelemetry } from '@opentelemetry/api';
import { InvalidArgumentError } from './errors.ts';
import {
  type Counter,
  createCounter,
  createGauge,
  createHistogram,
  type Gauge,
  type Histogram,
  type Instrument,
  type InstrumentContext,
  type MetricOptions,
  type MetricPoint,
} from './metrics/instruments.ts';
import type { Labels } from './metrics/series.ts';

export type {
  BoundCounter,
  BoundGauge,
  BoundHistogram,
  Counter,
  Gauge,
  Histogram,
  MetricOptions,
  MetricPoint,
} from './metrics/instruments.ts';
export type { Labels } from './metrics/series.ts';

const DEFAULT_METER_NAME = 'mosaik';
const DEFAULT_MAX_SERIES = 100;

/** Options of {@link createMetrics}. */
export interface MetricsOptions {
  /** Name of the OpenTelemetry meter; default `mosaik`. */
  readonly meterName?: string | undefined;
  /** Attributes of everything exported, such as which node of a process it is; not in the snapshot. */
  readonly attributes?: Labels | undefined;
  /** Label sets of one metric; default 100. Further ones are counted together, labelled `otel.metric.overflow`. */
  readonly maxSeries?: number | undefined;
}

/** Each metric by its name, as plain data. */
export type MetricsSnapshot = Readonly<Record<string, readonly MetricPoint[]>>;

/**
 * The metrics of one node.
 *
 * Counting is a plain addition; OpenTelemetry reads counters and gauges when it collects, through observable
 * instruments. The same name gives the same metric.
 */
export interface Metrics {
  /** @throws {InvalidArgumentError} when the name is taken by another kind. */
  counter(name: string, options?: MetricOptions): Counter;
  /** @throws {InvalidArgumentError} when the name is taken by another kind. */
  gauge(name: string, options?: MetricOptions): Gauge;
  /** @throws {InvalidArgumentError} when the name is taken by another kind. */
  histogram(name: string, options?: MetricOptions): Histogram;
  /** Everything as it stands, whether it is exported or not. */
  snapshot(): MetricsSnapshot;
  /**
   * Looks for an OpenTelemetry SDK, and exports to it from now on; returns whether there is one.
   *
   * Done at the start, at every new metric and at every snapshot: who installs the SDK before the first node need not
   * call it, who installs it later can. Counters are then exported in full, histograms from then on.
   */
  attach(): boolean;
  /** Ends the export; counting goes on. */
  dispose(): void;
}

/** Creates an empty registry. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  return new Registry(options);
}

class Registry implements Metrics {
  readonly #meterName: string;
  readonly #attributes: Labels;
  readonly #maxSeries: number;
  readonly #instruments = new Map<string, Instrument>();
  readonly #detach: (() => void)[] = [];
  #meter: Meter | undefined;
  #isDisposed = false;

  constructor({ meterName, attributes, maxSeries }: MetricsOptions) {
    this.#meterName = meterName ?? DEFAULT_METER_NAME;
    this.#attributes = { ...attributes };
    this.#maxSeries = maxSeries ?? DEFAULT_MAX_SERIES;
    this.attach();
  }

  counter(name: string, options: MetricOptions = {}): Counter {
    return this.#instrument(name, options, 'counter', createCounter);
  }

  gauge(name: string, options: MetricOptions = {}): Gauge {
    return this.#instrument(name, options, 'gauge', createGauge);
  }

  histogram(name: string, options: MetricOptions = {}): Histogram {
    return this.#instrument(name, options, 'histogram', createHistogram);
  }

  snapshot(): MetricsSnapshot {
    this.attach();
    return Object.fromEntries(
      Array.from(this.#instruments, ([name, instrument]) => [name, instrument.points()]),
    );
  }

  attach(): boolean {
    if (this.#meter !== undefined || this.#isDisposed) return this.#meter !== undefined;
    const meter = openTelemetry.getMeter(this.#meterName);
    // The API hands out one and the same meter for as long as no SDK is installed, and never replaces it.
    if (meter === createNoopMeter()) return false;
    this.#meter = meter;
    for (const instrument of this.#instruments.values()) this.#detach.push(instrument.attach(meter));
    return true;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#meter = undefined;
    for (const detach of this.#detach.splice(0)) detach();
  }

  #instrument<Kind extends Instrument>(
    name: string,
    options: MetricOptions,
    kind: Kind['kind'],
    create: (context: InstrumentContext) => Kind,
  ): Kind {
    this.attach();
    const known = this.#instruments.get(name);
    if (known !== undefined) {
      if (known.kind !== kind) throw new InvalidArgumentError('name', `${name} is a ${known.kind} already`);
      return known as Kind;
    }
    const context = { name, options, attributes: this.#attributes, maxSeries: this.#maxSeries };
    const instrument = create(context);
    this.#instruments.set(name, instrument);
    if (this.#meter !== undefined) this.#detach.push(instrument.attach(this.#meter));
    return instrument;
  }
}
