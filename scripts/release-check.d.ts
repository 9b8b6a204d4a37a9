/** Why this commit cannot be released, in sentences, each with its remedy. */
export function releaseFaults(release: {
  manifest: { version: string; [field: string]: unknown };
  changelog: string;
  status: string;
}): string[];
