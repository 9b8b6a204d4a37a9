/** Numbers that a seed gives back, so that a run can be had again in the same order. */

/** Xorshift (Marsaglia 2003): from 0 to 1, the latter excluded. */
export function seededRandom(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Another order of the same (Fisher and Yates). */
export function shuffled(values, random) {
  const mixed = [...values];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}
