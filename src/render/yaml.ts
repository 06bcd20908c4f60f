/** Plain data as YAML that any reader understands the same way; loaded where YAML is asked for. */
import { type Document, dump, SCALAR_STYLE, visit } from 'js-yaml';
import { harmlessQuoted, isHarmless } from './harmless.ts';

/** A text with something active in it goes into double quotes, where it can be spelled out. */
const quoteActive = (documents: Document[]): void =>
  visit(documents, (node) => {
    if (node.kind === 'scalar' && !isHarmless(node.value)) node.style = SCALAR_STYLE.DOUBLE_QUOTED;
  });

/**
 * One YAML document, without `---`, with a newline at its end. Texts that some reader takes for
 * something else (`yes`, `0644`, `1:30`) are quoted; no line is folded.
 */
export const yamlText = (value: unknown): string =>
  harmlessQuoted(dump(value, { lineWidth: -1, noRefs: true, transform: quoteActive }));
