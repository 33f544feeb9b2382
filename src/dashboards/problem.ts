// Mistakes in a dashboard's file, as the page shows them: at a panel, with the place in the file.

import { Failure, type Place } from '../base/failure.ts'
import type { DashboardProblem, Failure as FailureBody } from '../contract/index.ts'
import { valueAt, type Located, type Path } from '../project/index.ts'

export function toProblem(failure: Failure, panel: string | null): DashboardProblem {
  return { ...body(failure), panel }
}

export function toFailureBody(failure: Failure, requestId: string): FailureBody {
  if (failure.code !== 'INTERNAL') return { ...body(failure), requestId }
  return { code: 'INTERNAL', message: 'something went wrong inside Boathouse', hint: failure.hint, requestId }
}

function body(failure: Failure): Omit<DashboardProblem, 'panel'> {
  const { file, line, column } = failure.place ?? {}
  const { suggestions } = failure.context
  return {
    code: failure.code,
    message: failure.message,
    hint: failure.hint,
    ...(failure.place && { place: { ...(file && { file }), ...(line && { line }), ...(column && { column }) } }),
    ...(Array.isArray(suggestions) && suggestions.length > 0 && { suggestions: suggestions.map(String) }),
  }
}

/** A failure about a name in the part of the file at `path`, said as a mistake of the dashboard, at that name. */
export function inFile(failure: Failure, file: Located<unknown>, path: Path): Failure {
  const { name, suggestions } = failure.context
  const found = typeof name === 'string' ? findText(valueAt(file.value, path), name) : undefined
  return new Failure('DASHBOARD_INVALID', failure.message, {
    place: file.at([...path, ...(found ?? [])]),
    suggestions,
    cause: failure,
  })
}

/** The path of the text `name` in a value; also as `-name` in a sort order and as `name:month`. */
function findText(value: unknown, name: string): Path | undefined {
  if (typeof value === 'string')
    return value === name || value === `-${name}` || value.startsWith(`${name}:`) ? [] : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, part] of Object.entries(value)) {
    const rest = findText(part, name)
    if (rest) return [Array.isArray(value) ? Number(key) : key, ...rest]
  }
  return undefined
}

/** What went wrong while a panel was asked: about names in the file, it is the file's mistake and has its place there. */
export function panelFailure(
  failure: Failure,
  file: Located<unknown>,
  path: Path,
  inSql: (place: Place) => Place | null,
): Failure {
  if (failure.code !== 'SQL_INVALID' && failure.code !== 'SQL_REFUSED' && failure.code !== 'SQL_UNSUPPORTED') {
    // A place in SQL that we made says nothing to somebody who wrote YAML.
    return failure.place ? failure.with({ place: file.at(path) }) : failure
  }
  if (typeof failure.context['name'] === 'string') return inFile(failure, file, path)
  const { suggestions } = failure.context
  const place = failure.place && inSql(failure.place)
  if (place) return new Failure('DASHBOARD_INVALID', failure.message, { place, suggestions, cause: failure })
  const name = /column "([^"]+)"/i.exec(failure.message)?.[1]
  if (name === undefined)
    return new Failure('DASHBOARD_INVALID', failure.message, { place: file.at(path), suggestions, cause: failure })
  const names = Array.isArray(suggestions) ? suggestions.map(String) : []
  const meant = names[0] === undefined ? '' : `; did you mean "${names[0]}"?`
  return inFile(
    new Failure('SQL_INVALID', `there is no column "${name}"${meant}`, { name, suggestions: names }),
    file,
    path,
  )
}
