// What every picture needs: text that SVG can hold, about how wide it is, and lines that are broken so that none is cut off.
// Viewers choose the font, so widths are those of a wide sans-serif one.

export const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** A coordinate, to a tenth of a pixel. */
export const place = (value: number): string => value.toFixed(1);

/** The width of a character in parts of the font size: that of a digit in DejaVu Sans, which is a wide font. */
const widthOfCharacter = 0.6;

/** About how many pixels a text takes, rather too many than too few. */
export const widthOf = (text: string, fontSize: number = 12): number =>
  text.length * widthOfCharacter * fontSize;

/** Breaks a text at spaces into lines that fit; a word that is longer than a line has a line of its own. */
export function wrapped(text: string, width: number, fontSize: number = 12): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").filter((part) => part !== "")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`.trimStart();
    if (lines.length > 0 && widthOf(longer, fontSize) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
