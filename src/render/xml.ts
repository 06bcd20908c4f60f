/** Text of an XML element; what XML has no character for at all is the caller's to take out. */
export const xmlText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The same where double quotes would end it. */
export const xmlQuoted = (text: string): string => xmlText(text).replaceAll('"', '&quot;');
