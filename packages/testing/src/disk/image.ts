/** One change of what a disk holds. */
export type DiskWrite =
  | { readonly kind: 'append'; readonly file: string; readonly bytes: Uint8Array }
  /** In place and within one sector: all of it or nothing of it. */
  | { readonly kind: 'replace'; readonly file: string; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly file: string; readonly length: number }
  | { readonly kind: 'rename'; readonly file: string; readonly to: string }
  | { readonly kind: 'remove'; readonly file: string };

/** Bytes that grow at their end. */
class Content {
  #buffer = new Uint8Array(256);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }
}

/** The files of a disk, at one level of durability. */
export class DiskImage {
  readonly #files = new Map<string, Content>();

  get files(): readonly string[] {
    return [...this.#files.keys()].sort();
  }

  get size(): number {
    return this.#files.values().reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** A view: valid until the next write. */
  read(file: string): Uint8Array | undefined {
    return this.#files.get(file)?.bytes;
  }

  apply(write: DiskWrite): void {
    switch (write.kind) {
      case 'append':
        this.#content(write.file).append(write.bytes);
        break;
      case 'replace': {
        const content = this.#content(write.file);
        content.truncate(0);
        content.append(write.bytes);
        break;
      }
      case 'truncate':
        this.#content(write.file).truncate(write.length);
        break;
      case 'rename':
        this.#rename(write.file, write.to);
        break;
      case 'remove':
        this.#files.delete(write.file);
        break;
    }
  }

  copy(): DiskImage {
    const copy = new DiskImage();
    for (const [file, { bytes }] of this.#files) copy.#content(file).append(bytes);
    return copy;
  }

  #rename(from: string, to: string): void {
    const content = this.#files.get(from);
    if (content === undefined) return;
    this.#files.delete(from);
    this.#files.set(to, content);
  }

  #content(file: string): Content {
    const known = this.#files.get(file) ?? new Content();
    this.#files.set(file, known);
    return known;
  }
}
