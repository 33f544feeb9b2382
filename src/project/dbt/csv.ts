// CSV as Python's `csv.DictReader` reads it: for the rows of unit tests.

/** Records by the names of the first line. An empty field is null, as dbt makes it; so is one that a short line lacks. */
export function csvRecords(text: string): Record<string, string | null>[] {
  const [head, ...lines] = csvLines(text)
  return lines.map((line) =>
    Object.fromEntries((head ?? []).map((name, index) => [name, line[index] === '' ? null : (line[index] ?? null)])),
  )
}

/** Fields of each line; empty lines do not count. */
function csvLines(text: string): string[][] {
  const lines: string[][] = []
  let line: string[] = []
  // A field in quotation marks ends at a mark that is not doubled; one without ends at a comma or the line's end.
  const field = /(?:"((?:[^"]|"")*)"([^,\r\n]*)|([^,\r\n]*))(,|\r\n|\r|\n|$)/y
  for (;;) {
    const match = field.exec(text)
    if (!match) return lines
    const [, quoted, rest, plain, end] = match
    line.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"') + rest!)
    if (end === ',') continue
    if (line.length > 1 || line[0] !== '') lines.push(line)
    if (end === '') return lines
    line = []
  }
}
