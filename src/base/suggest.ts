// "did you mean": the names closest to a misspelt one, by edits, so that an error says what to type instead.

/** Up to three of `names` that a person may have meant by `word`, best first; none when nothing is near. */
export function suggest(word: string, names: Iterable<string>): string[] {
  const wanted = word.toLowerCase()
  const editsMax = Math.floor((wanted.length + 1) / 3)
  return [...new Set(names)]
    .map((name) => ({ name, edits: distance(wanted, name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= editsMax || contains(name.toLowerCase(), wanted))
    .sort((a, b) => a.edits - b.edits || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map(({ name }) => name)
}

/** `; did you mean "region"?`, or `; there are: region, product` when no name is near (`listMax` 0: never), or nothing. */
export function didYouMean(word: string, names: Iterable<string>, listMax = 12): string {
  const [best] = suggest(word, names)
  if (best) return `; did you mean "${best}"?`
  const all = [...new Set(names)]
  if (all.length === 0 || listMax === 0) return ''
  return `; there ${all.length === 1 ? 'is' : 'are'}: ${all.slice(0, listMax).join(', ')}${all.length > listMax ? ', …' : ''}`
}

const contains = (name: string, word: string): boolean =>
  Math.min(name.length, word.length) >= 4 && (name.includes(word) || word.includes(name))

/** Edits (insert, delete, replace, swap of neighbours) between two words: optimal string alignment. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      let edits = Math.min(previous[column]! + 1, current[column - 1]! + 1, replaced)
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) edits = Math.min(edits, before[column - 2]! + 1)
      current.push(edits)
    }
    before = previous
    previous = current
  }
  return previous[b.length]!
}
