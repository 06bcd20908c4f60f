/** What a piece of text means to the eye. Colour only adds; every form is complete without it. */
export interface Style {
  title(text: string): string;
  place(text: string): string;
  faint(text: string): string;
  label(text: string): string;
  edit(text: string): string;
  command(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  unsure(text: string): string;
}

const same = (text: string): string => text;

/** No colour: every text as it is. */
export const PLAIN: Style = {
  title: same,
  place: same,
  faint: same,
  label: same,
  edit: same,
  command: same,
  good: same,
  bad: same,
  unsure: same,
};
