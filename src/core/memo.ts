/**
 * Remembers a pure function's result for each argument, as long as that argument lives. For lists and records that are never
 * changed, only replaced: a run folds the same ones again after each of its repairs.
 */
export function memoByIdentity<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const results = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    const known = results.get(key);
    if (known !== undefined) return known.value;
    const value = compute(key);
    results.set(key, { value });
    return value;
  };
}
