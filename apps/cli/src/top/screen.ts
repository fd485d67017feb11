import type { Output } from '../world.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const DEFAULT_ROWS = 24;
const DEFAULT_COLUMNS = 80;

/** A terminal of which the whole screen is drawn; what was on it comes back in the end. */
export class Screen implements Disposable {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
    output.write(ENTER);
  }

  /** Draws over what is there, without flicker; what does not fit is left out, and said. */
  draw(lines: readonly string[]): void {
    const { rows = DEFAULT_ROWS, columns = DEFAULT_COLUMNS } = this.#output;
    const shown =
      lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} lines more`];
    const text = shown.map((line) => `${cut(line, columns)}${CLEAR_LINE}`).join('\r\n');
    this.#output.write(`${HOME}${text}${CLEAR_BELOW}`);
  }

  [Symbol.dispose](): void {
    this.#output.write(LEAVE);
  }
}

/** Lines with styles in them are short, and are left as they are. */
function cut(line: string, columns: number): string {
  return line.length <= columns || line.includes('\u001b') ? line : `${line.slice(0, columns - 1)}…`;
}
