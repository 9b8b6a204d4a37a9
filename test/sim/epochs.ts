/**
 * What the page has a member remember of revocations: of each lineage the highest epoch, and the
 * name of the revocation that led there.
 */

export interface Revised {
  readonly id: string;
  readonly epoch: number;
  readonly rev?: string;
}

/** "A member remembers 16 lineages only." */
const MAX_LINEAGES = 16;

export class Epochs {
  /** A name is undefined for a revocation that was due, and has not been read yet. */
  readonly #highest = new Map<string, { readonly epoch: number; readonly rev: string | null | undefined }>();

  has(lineage: string): boolean {
    return this.#highest.has(lineage);
  }

  /** `brakes` of the ring are still to be written. */
  see({ id, epoch, rev }: Revised, brakes = 0): void {
    const last = this.#highest.get(id);
    const seen = { epoch: epoch + brakes, rev: brakes > 0 ? undefined : (rev ?? null) };
    const isNews =
      last === undefined || seen.epoch > last.epoch || (seen.epoch === last.epoch && last.rev === undefined);
    if (isNews) this.#highest.set(id, seen);
    for (const [oldest] of this.#highest) if (this.#highest.size > MAX_LINEAGES) this.#highest.delete(oldest);
  }

  /** Whether a ring lacks the last revocation that was seen of its lineage. */
  isBehind({ id, epoch, rev }: Revised): boolean {
    const last = this.#highest.get(id);
    if (last === undefined || epoch > last.epoch) return false;
    return epoch < last.epoch || (last.rev !== undefined && last.rev !== (rev ?? null));
  }
}
