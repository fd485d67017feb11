/** Why something is, or is not, online: as data, and as a sentence. */
export interface Why {
  readonly isOnline: boolean;
  /** The first condition that is not met, and what would meet it; how things stand when all is well. */
  readonly text: string;
  /** What was counted to get there. */
  readonly facts: Readonly<Record<string, number>>;
}
