/**
 * What is shared out among those who pull: pieces that are taken, come or are given back, and are taken again. Whoever finds
 * nothing to take waits while others are under way with something, as it may be given back.
 */
export abstract class Work<Piece, Taker> {
  #underWay = 0;
  #changed = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves when nothing is to be pulled any more. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** The next piece for this taker; undefined when there will be none. */
  async take(taker: Taker): Promise<Piece | undefined> {
    while (!this.#isOver) {
      const piece = this.pick(taker);
      if (piece !== undefined) {
        this.#underWay++;
        return piece;
      }
      if (this.#underWay === 0) return undefined;
      await this.#changed.promise;
    }
    return undefined;
  }

  /** Ends the way of a piece that was taken. One that did not come may be taken by others. */
  done(piece: Piece, hasCome: boolean): void {
    this.#underWay--;
    if (!hasCome) this.putBack(piece);
    this.change();
  }

  /** Nobody takes anything any more. */
  finish(): void {
    this.#isOver = true;
    this.#over.resolve();
    this.change();
  }

  /** Takes the next piece that this taker can get off those that nobody is under way with. */
  protected abstract pick(taker: Taker): Piece | undefined;

  /** Puts a piece back, unless it has come by other ways. */
  protected abstract putBack(piece: Piece): void;

  /** Whoever waits looks again whether there is something to take. */
  protected change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
