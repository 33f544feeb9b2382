// Two sets of rows, and what differs between them, as dbt shows it: `---` a row that is missing, `+++` one that is too
// much, `→` one that differs, with `expected→actual` in the cells that do.

type Cells = readonly string[]
type Line = { mark: string; cells: Cells }

/** Rows of each side in any order, values as the lake gives them; undefined when both are the same. */
export function showDifference(
  columns: readonly string[],
  expected: readonly (readonly unknown[])[],
  actual: readonly (readonly unknown[])[],
): string | undefined {
  const [wanted, found] = [shown(expected), shown(actual)]
  const same: Cells[] = []
  const missing = wanted.filter((row) => {
    const at = found.findIndex((other) => other.every((cell, index) => cell === row[index]))
    if (at < 0) return true
    same.push(row)
    found.splice(at, 1)
    return false
  })
  if (missing.length === 0 && found.length === 0) return undefined
  const changes = missing.map((row): Line => {
    const other = closest(row, found)
    if (!other) return { mark: '---', cells: row }
    found.splice(found.indexOf(other), 1)
    return { mark: '→', cells: row.map((cell, index) => (cell === other[index] ? cell : `${cell}→${other[index]!}`)) }
  })
  const extra = found.map((cells): Line => ({ mark: '+++', cells }))
  const lines: Line[] = [...changes, ...extra, ...same.slice(0, contextMax).map((cells) => ({ mark: '', cells }))]
  if (same.length > contextMax) lines.push({ mark: '...', cells: columns.map(() => '...') })
  return table([{ mark: '@@', cells: columns }, ...lines])
}

/** Rows without a difference that are shown besides. */
const contextMax = 2

/** Ordered, so that the order of the answer does not matter; nulls last. */
const shown = (rows: readonly (readonly unknown[])[]): Cells[] =>
  rows.map((row) => row.map(showCell)).sort((a, b) => compare(a.join('\u0000'), b.join('\u0000')))

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function showCell(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (value === true) return 'True'
  if (value === false) return 'False'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The row that shares the most cells, if it shares any: the same row with other values. Single columns always pair. */
function closest(row: Cells, others: readonly Cells[]): Cells | undefined {
  const shared = (other: Cells) => other.filter((cell, index) => cell === row[index]).length
  const best = others.toSorted((a, b) => shared(b) - shared(a))[0]
  return best && (shared(best) > 0 || row.length === 1) ? best : undefined
}

function table(lines: readonly Line[]): string {
  const rows = lines.map(({ mark, cells }) => [mark, ...cells])
  const widths = rows[0]!.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)))
  return rows
    .map((row) => row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index]!))).join(','))
    .join('\n')
}
