/** What tells the series of a metric apart; few values each, never an id of a peer or a message. */
export type Labels = Readonly<Record<string, string | number | boolean>>;

const NO_LABELS: Labels = {};
/** As OpenTelemetry marks what went over a cardinality limit. */
const OVERFLOW_LABELS: Labels = { 'otel.metric.overflow': true };

/** The series of one metric by their labels, bounded: when there are too many, further ones are counted as one. */
export class SeriesTable<Series> {
  readonly #create: (labels: Labels) => Series;
  readonly #maxSeries: number;
  readonly #byKey = new Map<string, Series>();
  #unlabelled: Series | undefined;
  #overflow: Series | undefined;

  constructor(maxSeries: number, create: (labels: Labels) => Series) {
    this.#maxSeries = maxSeries;
    this.#create = create;
  }

  get(labels: Labels | undefined): Series {
    if (labels === undefined) {
      this.#unlabelled ??= this.#create(NO_LABELS);
      return this.#unlabelled;
    }
    const key = keyOf(labels);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= this.#maxSeries) {
      this.#overflow ??= this.#create(OVERFLOW_LABELS);
      return this.#overflow;
    }
    const series = this.#create({ ...labels });
    this.#byKey.set(key, series);
    return series;
  }

  *[Symbol.iterator](): Generator<Series, void, void> {
    if (this.#unlabelled !== undefined) yield this.#unlabelled;
    yield* this.#byKey.values();
    if (this.#overflow !== undefined) yield this.#overflow;
  }
}

function keyOf(labels: Labels): string {
  const names = Object.keys(labels);
  if (names.length > 1) names.sort();
  return JSON.stringify(names.map((name) => [name, labels[name]]));
}
