import type { Retained } from './retained.ts';
import type { RetainedNode } from './retained-node.ts';

/** What the user of a retained stream holds. */
export class RetainedHandle implements Retained {
  readonly #node: RetainedNode;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(node: RetainedNode, release: () => Promise<void>) {
    this.#node = node;
    this.#release = release;
  }

  get stream(): Retained['stream'] {
    return this.#node.definition.id;
  }

  get name(): string {
    return this.#node.settings.name;
  }

  get durability(): Retained['durability'] {
    return this.#node.settings.storage.durability;
  }

  get own(): Retained['own'] {
    return this.#node.own;
  }

  get logs(): Retained['logs'] {
    return this.#node.views;
  }

  get stats(): Retained['stats'] {
    return this.#node.stats;
  }

  trim(): Promise<void> {
    return this.#node.trim();
  }

  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
