import { once } from 'node:events';
import { styleText } from 'node:util';
import type { Output, World } from '../world.ts';

type Style = Parameters<typeof styleText>[0];

/** How a command speaks: data to standard output, everything about them to standard error. */
export class Console {
  readonly isJson: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly #isQuiet: boolean;

  constructor(
    { stdout, stderr }: Pick<World, 'stdout' | 'stderr'>,
    options: { readonly isJson: boolean; readonly isQuiet: boolean },
  ) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.isJson = options.isJson;
    this.#isQuiet = options.isQuiet;
  }

  /** Text to standard output, with a line end; waits while the reader is slow. */
  print(text: string): Promise<void> {
    return write(this.stdout, `${text}\n`);
  }

  /** A value as one line of JSON. */
  json(value: unknown): Promise<void> {
    return this.print(JSON.stringify(value));
  }

  /** A value for programs, or its text for people. */
  show(value: unknown, text: () => string): Promise<void> {
    return this.isJson ? this.json(value) : this.print(text());
  }

  /** What goes on, for people. */
  note(text: string): void {
    if (!this.#isQuiet) this.stderr.write(`${this.#styled('dim', text)}\n`);
  }

  warn(text: string): void {
    this.stderr.write(`${this.#styled('yellow', 'warning:')} ${text}\n`);
  }

  error(text: string): void {
    this.stderr.write(`${this.#styled('red', 'error:')} ${text}\n`);
  }

  /** Colours where standard output is a terminal, unless `NO_COLOR` says otherwise. */
  style(style: Style, text: string): string {
    return colour(this.stdout, style, text);
  }

  #styled(style: Style, text: string): string {
    return colour(this.stderr, style, text);
  }
}

function colour(stream: Output, style: Style, text: string): string {
  return stream.isTTY === true ? styleText(style, text, { stream, validateStream: true }) : text;
}

/** Writes, and waits while the stream is full. Fails when it breaks. */
export async function write(stream: Output, text: string | Uint8Array): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

/** Whether whoever read the output has gone (`| head`): no mistake, and nobody to tell of anything. */
export function isOutputClosed({ interrupted }: Pick<World, 'interrupted'>, thrown?: unknown): boolean {
  return [interrupted.reason as unknown, thrown].some(
    (cause) => cause instanceof Error && 'code' in cause && cause.code === 'EPIPE',
  );
}
