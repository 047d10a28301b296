/** Lists and records of words, as of an enum of the schema. */

/** The words in this order: one that the union gains is missing here, and fails the type check. */
export function exhaustive<Word extends string>(words: Record<Word, true>): readonly Word[] {
  return Object.keys(words) as Word[];
}

/** A value for each word. */
export function recordOf<Word extends string, Value>(words: readonly Word[], value: (word: Word) => Value): Record<Word, Value> {
  return Object.fromEntries(words.map((word) => [word, value(word)])) as Record<Word, Value>;
}
