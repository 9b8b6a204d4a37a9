/** What is wrong with the text of a file, one line each: `path:line: fault`. */
export function faultsIn(file: string, text: string): string[];
/** The sentences of a paragraph, in which code and links count as they are read. */
export function sentencesIn(text: string): string[];
