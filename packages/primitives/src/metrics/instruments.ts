import type { Attributes, Meter, Histogram as OtelHistogram } from '@opentelemetry/api';
import { type Labels, SeriesTable } from './series.ts';

/** What a metric is about, as OpenTelemetry shows it. */
export interface MetricOptions {
  /** Unit in UCUM, such as `By`, `ms`, `{datum}`. */
  readonly unit?: string;
  readonly description?: string;
}

/** A counter with its labels decided: one addition a call. */
export interface BoundCounter {
  add(value: number): void;
}

/** A sum that only grows. */
export interface Counter {
  /** @param value 0 or more */
  add(value: number, labels?: Labels): void;
  /** The counter of these labels, for hot paths. */
  with(labels: Labels): BoundCounter;
}

/** A gauge with its labels decided. */
export interface BoundGauge {
  set(value: number): void;
}

/** A value that goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void;
  /** The gauge of these labels, for hot paths. */
  with(labels: Labels): BoundGauge;
}

/** A histogram with its labels decided. */
export interface BoundHistogram {
  record(value: number): void;
}

/** A distribution; each value is handed to OpenTelemetry when it is recorded, so not for every datum. */
export interface Histogram {
  record(value: number, labels?: Labels): void;
  /** The histogram of these labels. */
  with(labels: Labels): BoundHistogram;
}

/** One series as it stands. */
export interface MetricPoint {
  readonly labels: Labels;
  /** The sum of a counter, the value of a gauge, the number of values of a histogram. */
  readonly value: number;
  /** Of a histogram. */
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
}

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** A metric as its registry sees it. */
export interface Instrument {
  readonly kind: MetricKind;
  points(): MetricPoint[];
  /** Exports through `meter` from now on; returns what ends that. */
  attach(meter: Meter): () => void;
}

/** What all instruments of a registry share. */
export interface InstrumentContext {
  readonly name: string;
  readonly options: MetricOptions;
  /** Of every series of the registry, on export. */
  readonly attributes: Attributes;
  readonly maxSeries: number;
}

interface NumberSeries {
  readonly labels: Labels;
  readonly attributes: Attributes;
  value: number;
  add(value: number): void;
  set(value: number): void;
}

class NumberInstrument implements Counter, Gauge, Instrument {
  readonly kind: 'counter' | 'gauge';
  readonly #context: InstrumentContext;
  readonly #series: SeriesTable<NumberSeries>;

  constructor(kind: 'counter' | 'gauge', context: InstrumentContext) {
    this.kind = kind;
    this.#context = context;
    this.#series = new SeriesTable(context.maxSeries, (labels) => ({
      labels,
      attributes: { ...context.attributes, ...labels },
      value: 0,
      add(value) {
        this.value += value;
      },
      set(value) {
        this.value = value;
      },
    }));
  }

  add(value: number, labels?: Labels): void {
    this.#series.get(labels).value += value;
  }

  set(value: number, labels?: Labels): void {
    this.#series.get(labels).value = value;
  }

  with(labels: Labels): NumberSeries {
    return this.#series.get(labels);
  }

  points(): MetricPoint[] {
    return Array.from(this.#series, ({ labels, value }) => ({ labels, value }));
  }

  attach(meter: Meter): () => void {
    const { name, options } = this.#context;
    const exported =
      this.kind === 'counter'
        ? meter.createObservableCounter(name, options)
        : meter.createObservableGauge(name, options);
    const callback: Parameters<typeof exported.addCallback>[0] = (result) => {
      for (const { value, attributes } of this.#series) result.observe(value, attributes);
    };
    exported.addCallback(callback);
    return () => exported.removeCallback(callback);
  }
}

class HistogramSeries implements BoundHistogram {
  readonly labels: Labels;
  readonly #attributes: Attributes;
  readonly #exported: () => OtelHistogram | undefined;
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  constructor(labels: Labels, attributes: Attributes, exported: () => OtelHistogram | undefined) {
    this.labels = labels;
    this.#attributes = attributes;
    this.#exported = exported;
  }

  record(value: number): void {
    this.#count += 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#exported()?.record(value, this.#attributes);
  }

  point(): MetricPoint {
    return { labels: this.labels, value: this.#count, sum: this.#sum, min: this.#min, max: this.#max };
  }
}

class HistogramInstrument implements Histogram, Instrument {
  readonly kind = 'histogram';
  readonly #context: InstrumentContext;
  readonly #series: SeriesTable<HistogramSeries>;
  #exported: OtelHistogram | undefined;

  constructor(context: InstrumentContext) {
    this.#context = context;
    this.#series = new SeriesTable(context.maxSeries, (labels) => {
      return new HistogramSeries(labels, { ...context.attributes, ...labels }, () => this.#exported);
    });
  }

  record(value: number, labels?: Labels): void {
    this.#series.get(labels).record(value);
  }

  with(labels: Labels): BoundHistogram {
    return this.#series.get(labels);
  }

  points(): MetricPoint[] {
    return Array.from(this.#series, (series) => series.point());
  }

  attach(meter: Meter): () => void {
    this.#exported = meter.createHistogram(this.#context.name, this.#context.options);
    return () => {
      this.#exported = undefined;
    };
  }
}

export function createCounter(context: InstrumentContext): Counter & Instrument {
  return new NumberInstrument('counter', context);
}

export function createGauge(context: InstrumentContext): Gauge & Instrument {
  return new NumberInstrument('gauge', context);
}

export function createHistogram(context: InstrumentContext): Histogram & Instrument {
  return new HistogramInstrument(context);
}
