/** Leaves out the oldest of what is remembered when there is more than `max`: call it after each addition. */
export function keepNewest(remembered: Map<string, unknown> | Set<string>, max: number): void {
  const [oldest = ''] = remembered.keys();
  if (remembered.size > max) remembered.delete(oldest);
}
