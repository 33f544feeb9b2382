// Where two manifests part: which entries are missing, and which values of the others differ.

import type { Difference } from './differences.ts'

export type Manifest = Record<string, Record<string, Record<string, unknown>>>

const sections = [
  'nodes',
  'sources',
  'exposures',
  'metrics',
  'groups',
  'unit_tests',
  'semantic_models',
  'saved_queries',
  'docs',
  'disabled',
  'parent_map',
  'selectors',
]

// What depends on when and where a manifest was written, and what is compared by itself.
const apart = new Set([
  'created_at',
  'compiled',
  'compiled_code',
  'compiled_path',
  'build_path',
  'extra_ctes',
  'extra_ctes_injected',
  'root_path',
  'deferred',
  // Noted by dbt once it has run.
  'defer_relation',
])

export function differencesOfManifests(theirs: Manifest, ours: Manifest): Difference[] {
  const found: Difference[] = []
  for (const section of sections) {
    const [wanted, got] = [theirs[section] ?? {}, ours[section] ?? {}]
    for (const id of Object.keys(wanted))
      if (!(id in got)) found.push({ what: 'node', id, cause: `missing in ${section}` })
      else compare(`${section}`, wanted[id], got[id], (cause) => found.push({ what: 'node', id, cause }))
    for (const id of Object.keys(got))
      if (!(id in wanted)) found.push({ what: 'node', id, cause: `more than dbt has in ${section}` })
  }
  return found
}

function compare(path: string, wanted: unknown, got: unknown, differs: (cause: string) => void): void {
  if (isRecord(wanted) && isRecord(got)) {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(got)]))
      if (!apart.has(key)) compare(`${path}.${path.endsWith('.columns') ? '*' : key}`, wanted[key], got[key], differs)
    return
  }
  if (isNone(wanted) && isNone(got)) return
  // Of what is switched off only that it is.
  if (path === 'disabled') return
  const [a, b] = [plain(path, wanted), plain(path, got)]
  if (a !== b) differs(`${path}: ${shown(a, b)} → ${shown(b, a)}`)
}

/** An absent value is none. */
const isNone = (value: unknown): boolean => value === undefined || value === null

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** dbt's own order of parents, and of the columns of a key, is that of a set. It notes that tests call `get_where_subquery` once they are compiled. */
function plain(path: string, value: unknown): string {
  const ordered =
    Array.isArray(value) && /parent_map$|depends_on\.|refs$|sources$|tags$|primary_key$/.test(path)
      ? value
          .map((one) => JSON.stringify(one))
          .filter((one) => !one.includes('get_where_subquery'))
          .sort()
      : value
  return JSON.stringify(ordered) ?? 'nothing'
}

/** The part of a long text where it leaves the other. */
function shown(text: string, other: string): string {
  let at = 0
  while (at < text.length && text[at] === other[at]) at++
  return text.slice(Math.max(0, at - 20), at + 50)
}
