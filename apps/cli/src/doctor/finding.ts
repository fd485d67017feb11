/** What one look found: all well, something to know, or what is wrong. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'note' | 'wrong';
  readonly text: string;
  /** What can be done about it. */
  readonly remedy?: string;
}

export const ok = (check: string, text: string): Finding => ({ check, status: 'ok', text });
export const note = (check: string, text: string): Finding => ({ check, status: 'note', text });
export const wrong = (check: string, text: string, remedy: string): Finding => ({
  check,
  status: 'wrong',
  text,
  remedy,
});
