// `--warn-error` and `--warn-error-options`: which of dbt's warnings end the command, which are told, which are not.
//
// A warning has the name of dbt's event. What is named goes before the group "Deprecations", and that before "all"; within
// each, silence goes before warn, warn before error. `include` and `exclude` are old names of error and warn.

import { Failure } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'
import { isRecord } from '../base/record.ts'
import type { Config } from '../project/dbt/index.ts'
import { warningNames } from './warning-names.ts'

/** dbt's name and code of what it tells; codes of deprecations begin with D. */
export type WarningEvent = { name: string; code: string }

/** @throws USAGE for an old name beside the new one, and for what is no name of a warning */
export function checkHandling(flags: Config): void {
  const options = isRecord(flags['warn_error_options']) ? flags['warn_error_options'] : {}
  for (const [old, now] of [
    ['include', 'error'],
    ['exclude', 'warn'],
  ] as const)
    if (options[old] !== undefined && options[now] !== undefined)
      throw new Failure('USAGE', `Only \`${old}\` or \`${now}\` can be specified in \`warn_error_options\`, not both`)
  for (const key of ['include', 'error', 'exclude', 'warn', 'silence']) {
    const value = options[key] ?? []
    const isAll = (value === 'all' || value === '*') && (key === 'error' || key === 'include')
    if (!isAll && !Array.isArray(value))
      throw new Failure(
        'USAGE',
        `\`${key}\` of \`warn_error_options\` must be a list of names${key === 'error' ? ', or all' : ''}`,
      )
    for (const name of isAll ? [] : (value as unknown[]).map(String)) {
      if (!warningNames.has(name))
        throw new Failure('USAGE', `${name} is not a valid dbt error name${didYouMean(name, warningNames, 0)}`)
    }
  }
}

/** What dbt tells of whatever these flags say, unless the project's flag `require_all_warnings_handled_by_warn_error` is set. */
const alwaysTold = new Set(['MicrobatchModelNoEventTimeInputs', 'SelectExcludeIgnoredWithSelectorWarning'])

/** `flags`: all of them by dbt's names. */
export function handlingOf(flags: Config, { name, code }: WarningEvent): 'error' | 'warn' | 'silence' {
  if (alwaysTold.has(name) && flags['require_all_warnings_handled_by_warn_error'] !== true) return 'warn'
  const options = isRecord(flags['warn_error_options']) ? flags['warn_error_options'] : {}
  const namesIn = (...keys: string[]) =>
    keys.flatMap((key) => {
      const value = options[key]
      return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []
    })
  const ways = [
    ['silence', namesIn('silence')],
    ['warn', namesIn('warn', 'exclude')],
    ['error', namesIn('error', 'include')],
  ] as const
  for (const called of code.startsWith('D') ? [[name], ['Deprecations']] : [[name]])
    for (const [way, names] of ways) if (called.some((each) => names.includes(each))) return way
  const isAll = flags['warn_error'] === true || ways[2][1].some((each) => each === 'all' || each === '*')
  return isAll ? 'error' : 'warn'
}
