/** Entries whose name holds all letters of the text in order, best first: a whole word before a start before a scatter. */
export function rank<Entry extends { name: string }>(entries: readonly Entry[], text: string): Entry[] {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return [...entries]
  return entries
    .map((entry, index) => ({ entry, index, score: score(entry.name.toLowerCase(), wanted) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ entry }) => entry)
}

function score(name: string, wanted: string): number {
  const at = name.indexOf(wanted)
  if (at === 0) return 4
  if (at > 0) return /[^a-z0-9]/.test(name[at - 1]!) ? 3 : 2
  let from = 0
  for (const letter of wanted) {
    from = name.indexOf(letter, from) + 1
    if (from === 0) return 0
  }
  return 1
}
