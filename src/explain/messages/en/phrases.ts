/** What sentences of every kind are made with. */

export const list = (items: readonly string[]): string => {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
};

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`;

/** `10.244.1.1 (cni0 of node-1)`. */
export const named = (
  ip: string,
  { nameOf }: { nameOf(ip: string): string | undefined },
): string => {
  const name = nameOf(ip);
  return name === undefined ? ip : `${ip} (${name})`;
};
