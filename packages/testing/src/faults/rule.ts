import type { Path, Place } from '../network/path.ts';

/**
 * The order in which rules refine a path, whatever order they were made in: what blocks, what slows, what delays some
 * packets, what loses connections. Rules of one stage apply in the order they were made.
 */
export const STAGES = ['partition', 'slow', 'delay', 'loss'] as const;

/** Where in the fixed order a rule applies. */
export type Stage = (typeof STAGES)[number];

/** What may go wrong on the way from one host to another. */
export interface Rule {
  readonly stage: Stage;
  /**
   * Changes what the way is like; called when rules or hosts change, not for each packet. The path is a fresh copy, as
   * the rules before this one left it. Must depend on nothing but its arguments.
   */
  refine(path: Path, from: Place, to: Place): void;
}

/** The rules in force. */
export class RuleSet {
  #rules: readonly Rule[] = [];

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  add(rule: Rule): void {
    // Sorting is stable: within a stage the order of adding stays.
    this.#rules = [...this.#rules, rule].sort((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
  }

  /** False when it was not there. */
  remove(rule: Rule): boolean {
    const others = this.#rules.filter((other) => other !== rule);
    const isRemoved = others.length < this.#rules.length;
    this.#rules = others;
    return isRemoved;
  }

  clear(): void {
    this.#rules = [];
  }

  refine(path: Path, from: Place, to: Place): Path {
    for (const rule of this.#rules) rule.refine(path, from, to);
    return path;
  }
}
