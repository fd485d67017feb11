import type { WaitOptions } from '@mosaik/primitives';
import type { Why } from '@mosaik/streams';
import type { Fold, FoldStats, FoldWhen } from './fold.ts';
import type { FoldNode } from './fold-node.ts';

/** What the user of a view holds. */
export class FoldHandle<State> implements Fold<State> {
  readonly #node: FoldNode<State, never>;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(node: FoldNode<State, never>, release: () => Promise<void>) {
    this.#node = node;
    this.#release = release;
  }

  get id(): Fold<State>['id'] {
    return this.#node.id;
  }

  get name(): string {
    return this.#node.settings.name;
  }

  get version(): string {
    return this.#node.settings.version;
  }

  get state(): State {
    return this.#node.state;
  }

  get offset(): number {
    return this.#node.offset;
  }

  get cursor(): Fold<State>['cursor'] {
    return this.#node.cursor;
  }

  get events(): Fold<State>['events'] {
    return this.#node.events;
  }

  get stats(): FoldStats {
    return this.#node.stats;
  }

  async *changes(options?: WaitOptions): AsyncGenerator<State, void, void> {
    for await (const _ of this.#node.versions.values(options)) yield this.#node.state;
  }

  when(): FoldWhen {
    return this.#node.when;
  }

  why(): Why {
    return this.#node.why();
  }

  snapshot(): Promise<void> {
    return this.#node.takeSnapshot();
  }

  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
