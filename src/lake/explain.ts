// What a SELECT would do: which files of which tables, then DuckDB's own plan.

import { showBytes } from '../base/units.ts'
import { showName } from '../catalog/index.ts'
import { totalBytes } from '../iceberg/index.ts'
import type { CommandContext } from './commands.ts'
import type { Prepared } from './prepare.ts'
import { zoneOf } from './policy/zones.ts'

/** Rows of `explain_key`, `explain_value`. With `analyze` the statement is run. */
export async function explain(
  prepared: Prepared,
  analyze: boolean,
  { engine, signal, timeoutMs }: Pick<CommandContext, 'engine' | 'signal' | 'timeoutMs'>,
): Promise<unknown[][]> {
  const { sql, scans, lease } = await prepared.execute()
  const { memory } = prepared.rights.limits
  try {
    const plan = await engine.rows({
      class: 'interactive',
      sql: `EXPLAIN ${analyze ? 'ANALYZE ' : ''}${sql}`,
      timeoutMs,
      ...zoneOf(prepared),
      ...(memory ? { memoryMost: memory.most } : {}),
      ...(signal ? { signal } : {}),
    })
    const read = scans.map(({ table, files }) => {
      const bytes = totalBytes(files)
      const rows = files.reduce((sum, { recordCount }) => sum + recordCount, 0)
      return [
        'files',
        `${showName(table.name)}: ${files.length} files, ${rows} rows, ${showBytes(bytes)} after pruning`,
      ]
    })
    return [...read, ...plan.map(([key, value]) => [key, withoutPaths(String(value))])]
  } finally {
    lease.release()
  }
}

/**
 * Where files lie is nobody's business: the boxes of the plan lose their list of file names, cell by cell as boxes stand side
 * by side, and an analysed plan the text that ran.
 */
function withoutPaths(plan: string): string {
  const lines = plan.split('\n')
  const time = lines.findIndex((line) => line.includes('Total Time:'))
  const listing = new Set<number>()
  return lines
    .slice(Math.max(0, time - 2))
    .map((line) => {
      let offset = 0
      return line
        .split('│')
        .map((cell) => {
          const at = offset
          offset += cell.length + 1
          const text = cell.trim()
          if (text.startsWith('Filename(s):')) listing.add(at)
          else if (text === '') listing.delete(at)
          return listing.has(at) ? ' '.repeat(cell.length) : cell
        })
        .join('│')
    })
    .join('\n')
    .replace(/\/[^\s'"│]*\.(?:parquet|puffin|avro)/g, 'a data file')
}
