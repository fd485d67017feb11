import { type Condition, type ConditionSource, createCondition } from '@mosaik/primitives';

/** Tells whoever listens that something changed; what, they look for themselves. */
export class Changes {
  readonly #listeners = new Set<() => void>();

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  condition(description: string, check: () => boolean, ended?: ConditionSource['ended']): Condition {
    return createCondition({ description, check, ended, subscribe: (listener) => this.subscribe(listener) });
  }
}
