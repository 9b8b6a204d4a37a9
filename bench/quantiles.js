/** What many measurements come down to: the middle, and how far they spread. */

/** The value below which `part` of the sorted values lie. */
export const quantile = (sortedValues, part) => sortedValues[Math.max(0, Math.ceil(sortedValues.length * part) - 1)];

export const sorted = (values) => Float64Array.from(values).sort();

export const median = (values) => quantile(sorted(values), 0.5);

/**
 * Median and quartiles: a ratio that a busy neighbour moved for a few rounds stays where it was.
 */
export function spread(values) {
  const ascending = sorted(values);
  return { median: quantile(ascending, 0.5), low: quantile(ascending, 0.25), high: quantile(ascending, 0.75) };
}

/** What a quiet machine gave, and what this one did. */
export function quietAndMedian(values) {
  const ascending = sorted(values);
  return { p10: quantile(ascending, 0.1), p50: quantile(ascending, 0.5) };
}
