/**
 * Workers that nobody uses are kept for the next one. To start one takes some hundredths of a second, and to start and end
 * many is what V8 is known to die of now and then (`jit_page.has_value()`, nodejs/node issue 64500).
 */
import type { KitFailure } from './failure.ts';
import { WorkerClient } from './worker-client.ts';

/** Kept at most: what stays of one is its thread and some megabytes. */
const IDLE_MAX = 4;

export class WorkerShelf<W, V, F extends { readonly kind: string } = KitFailure> {
  readonly #program: URL;
  readonly #name: string;
  readonly #idle: WorkerClient<W, V, F>[] = [];

  constructor(program: URL, name: string) {
    this.#program = program;
    this.#name = name;
  }

  /** One for the caller alone. */
  take(): WorkerClient<W, V, F> {
    for (let client = this.#idle.pop(); client !== undefined; client = this.#idle.pop()) {
      if (!client.hasFailed) return client;
    }
    return new WorkerClient(this.#program, this.#name);
  }

  /** Takes one back that has let go of everything. */
  async giveBack(client: WorkerClient<W, V, F>): Promise<void> {
    if (client.hasFailed || this.#idle.length >= IDLE_MAX) await client.end();
    else this.#idle.push(client);
  }
}
