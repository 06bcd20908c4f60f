/** `k8snet test --only`: which expectations are meant. */

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * `cart` is anywhere in a name or an end; with a star (`shop/*`) it is all of one. Case does not
 * matter. What was looked at is kept in `seen`, to say what there is where nothing matches.
 */
export function matcherOf(pattern: string | undefined): {
  readonly isMeant: (texts: readonly string[]) => boolean;
  readonly seen: string[];
} {
  const seen: string[] = [];
  if (pattern === undefined) return { isMeant: () => true, seen };
  const inner = pattern.split('*').map(literal).join('.*');
  const wanted = new RegExp(pattern.includes('*') ? `^${inner}$` : inner, 'isu');
  return {
    seen,
    isMeant: (texts) => {
      seen.push(...texts.filter((text) => !seen.includes(text)));
      return texts.some((text) => wanted.test(text));
    },
  };
}
