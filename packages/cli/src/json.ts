/** JSON in which a bigint stands as a decimal string, as everywhere in Foundation. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint' ? item.toString() : item,
  );
}
