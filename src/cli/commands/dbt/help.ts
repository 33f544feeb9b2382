// Help of `boathouse dbt` and its verbs, printed from the tables of verbs and flags.

import { flagTable, type FlagSpec } from './flag-table.ts'
import { verbs } from './verbs.ts'

/** The list of verbs. */
export function dbtPage(): string {
  const shown = Object.entries(verbs).filter(([, { refused }]) => !refused)
  const widest = Math.max(...shown.map(([name]) => name.length))
  return [
    'boathouse dbt VERB [flags]',
    '',
    "dbt's command line, on the lake. `alias dbt='boathouse dbt'` keeps scripts working.",
    '',
    ...shown.map(([name, { summary }]) => `  ${name.padEnd(widest)}  ${summary}`),
    '',
    'Every verb: --help. Flags may stand before or after it; DBT_… variables work as in dbt.',
    'Exit codes: 0 done, 1 something of the project failed, 2 anything else.',
  ].join('\n')
}

/** The flags of a verb. */
export function verbPage(name: string): string {
  const { summary, examples, takesWord } = verbs[name]!
  const of = (own: boolean) =>
    Object.entries(flagTable).filter(([, { verbs: some, ignored }]) => !ignored && (own ? some?.includes(name) : !some))
  const lines = (entries: [string, FlagSpec][]) => {
    const widest = Math.max(...entries.map((entry) => left(entry).length), 0)
    return entries.map((entry) => `  ${left(entry).padEnd(widest)}  ${entry[1].about}`)
  }
  const own = of(true)
  return [
    `boathouse dbt ${name}${takesWord ? ` ${takesWord}` : ''} [flags]`,
    '',
    summary,
    '',
    ...(own.length > 0 ? [...lines(own), ''] : []),
    'Flags of every verb:',
    ...lines(of(false)),
    '',
    examples.length > 1 ? 'Examples:' : 'Example:',
    ...examples.map((example) => `  ${example}`),
  ].join('\n')
}

function left([name, { also = [], value, kind }]: [string, FlagSpec]): string {
  const spelled = [...also.filter((each) => !each.startsWith('--')), `--${kind === 'switch' ? '[no-]' : ''}${name}`]
  return `${spelled.join(', ')}${value ? ` ${value}` : ''}`
}
