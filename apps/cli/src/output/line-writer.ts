import type { Output } from '../world.ts';
import { write } from './console.ts';

const FLUSH_CHARACTERS = 64 * 1024;

/** Lines to a stream, many in one write: when enough have gathered, or nothing else is to be done. */
export class LineWriter {
  readonly #output: Output;
  #text = '';
  #flushing: Promise<void> | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #error: unknown;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Waits only when the reader of the stream is slow: then what comes in waits, too. */
  line(text: string): Promise<void> | undefined {
    this.#text += `${text}\n`;
    if (this.#text.length >= FLUSH_CHARACTERS) return this.flush();
    this.#scheduled ??= setImmediate(() => void this.flush().catch((error) => this.#fail(error)));
    return this.#flushing;
  }

  /** Bytes that are no text, and a line end. */
  async bytes(bytes: Uint8Array): Promise<void> {
    await this.flush();
    await write(this.#output, bytes);
    this.#text += '\n';
    await this.flush();
  }

  async flush(): Promise<void> {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    while (this.#flushing !== undefined) await this.#flushing;
    if (this.#error !== undefined) throw this.#error;
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    this.#flushing = write(this.#output, text).finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }

  #fail(error: unknown): void {
    this.#error ??= error;
  }
}
