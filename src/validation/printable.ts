/** Foreign text in messages and logs: what a terminal or a reader of logs would obey is escaped. */

/** Control characters, including those that change the direction, and line ends. */
const obeyed = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Replaces each character that a terminal or a reader of logs would obey. */
export function replaceObeyed(text: string, by: (character: string) => string): string {
  return text.replace(obeyed, by);
}

/** Makes a foreign text safe in a message: '\u001b' in place of the control character. */
export function printable(text: string): string {
  return replaceObeyed(text, escaped);
}

/** Quotes a foreign name for a message. */
export function quoted(name: string): string {
  return printable(JSON.stringify(name));
}

/** Escapes a character as JSON does, each of its UTF-16 units. */
export function escaped(character: string): string {
  return character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
