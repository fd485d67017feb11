import type { DatumRecord, Gap, ReplayedDatum, ReplayGap } from 'mosaik';
import { shortId } from 'mosaik';
import type { Console } from '../output/console.ts';
import { LineWriter } from '../output/line-writer.ts';

/** Prints data as they come: text as it is and everything else as JSON; or, for programs, each with where it is from. */
export class DatumPrinter {
  readonly #console: Console;
  readonly #lines: LineWriter;
  /** Data and gaps so far. */
  count = 0;
  gaps = 0;

  constructor(console: Console) {
    this.#console = console;
    this.#lines = new LineWriter(console.stdout);
  }

  /** Waits only when the reader is slow. */
  datum(record: DatumRecord<unknown> | ReplayedDatum<unknown>): Promise<void> | undefined {
    this.count++;
    const { datum } = record;
    if (this.#console.isJson) return this.#lines.line(JSON.stringify(withPlace(record), jsonValue));
    if (typeof datum === 'string') return this.#lines.line(datum);
    if (datum instanceof Uint8Array) return this.#lines.bytes(datum);
    return this.#lines.line(JSON.stringify(datum, jsonValue) ?? 'null');
  }

  async gap(gap: Gap | ReplayGap): Promise<void> {
    this.gaps++;
    if (this.#console.isJson) await this.#lines.line(JSON.stringify(gap));
    await this.#lines.flush();
    this.#console.warn(gapText(gap));
  }

  async mark(type: 'caughtUp'): Promise<void> {
    if (this.#console.isJson) await this.#lines.line(JSON.stringify({ type }));
    else this.#console.note('caught up; what follows is live');
  }

  flush(): Promise<void> {
    return this.#lines.flush();
  }
}

function withPlace(record: DatumRecord<unknown> | ReplayedDatum<unknown>): object {
  const { producer, datum } = record;
  if ('offset' in record)
    return { producer, log: record.log, offset: record.offset, timeMs: record.timeMs, datum };
  return { producer, epoch: record.epoch, sequence: record.sequence, datum };
}

function gapText({ producer, from, to }: Gap | ReplayGap): string {
  const whom = `of ${shortId(producer)}`;
  if (to === undefined) return `data ${whom} from ${from} on are missing: its end was not seen`;
  const count = to - from;
  return `${count} ${count === 1 ? 'datum' : 'data'} ${whom} ${count === 1 ? 'is' : 'are'} missing: ${from} to ${to - 1}`;
}

/** What CBOR knows and JSON does not, in the usual ways. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value;
}
