import type { Readable } from 'node:stream';
import { ExitCode } from '../exit-code.ts';
import { Failure } from '../failure.ts';

/** A line without its end; bytes where it is not UTF-8, so that it arrives as it was. */
export type Line = string | Uint8Array;

const NEWLINE = 0x0a;
/** What a datum may take on the wire, less its heads. */
const LINE_BYTES_MAX = 16 * 1024 * 1024 - 1024;

// Neither replaces what is no UTF-8 nor swallows a byte order mark.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The lines of an input, in runs of what has been read. The last one need not have an end. What is not asked for is not read,
 * so that whoever writes into the pipe waits, too.
 *
 * @throws {Failure} when a line is larger than a datum may be; names it.
 */
export async function* lineRuns(input: Readable): AsyncGenerator<Line[], void, void> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let count = 0;
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const end = bytes.lastIndexOf(NEWLINE);
    if (end < 0) {
      restBytes += bytes.length;
      rest.push(bytes);
    } else {
      const head = bytes.subarray(0, end);
      const lines = split(rest.length === 0 ? head : Buffer.concat([...rest, head]));
      count += lines.length;
      rest = end + 1 < bytes.length ? [bytes.subarray(end + 1)] : [];
      restBytes = bytes.length - end - 1;
      yield lines;
    }
    requireLength(restBytes, count + 1);
  }
  if (restBytes > 0) yield split(Buffer.concat(rest));
}

function requireLength(bytes: number, line: number): void {
  if (bytes <= LINE_BYTES_MAX) return;
  throw new Failure(ExitCode.Failed, `line ${line} is larger than 16 MiB: it does not fit into a datum`);
}

function split(bytes: Buffer): Line[] {
  try {
    return decoder.decode(bytes).split('\n');
  } catch {
    return splitBytes(bytes);
  }
}

/** As {@link split} where at least one of the lines is no UTF-8. */
function splitBytes(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  for (let from = 0; from <= bytes.length; ) {
    const at = bytes.indexOf(NEWLINE, from);
    const to = at < 0 ? bytes.length : at;
    lines.push(decoded(bytes.subarray(from, to)));
    from = to + 1;
  }
  return lines;
}

function decoded(bytes: Buffer): Line {
  try {
    return decoder.decode(bytes);
  } catch {
    return new Uint8Array(bytes);
  }
}
