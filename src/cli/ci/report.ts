// What a branch changes, as Markdown for its pull request.

import { isBad, type ModelChange, type NodeResult, type TableDiff } from '../../transform/index.ts'
import { impactText } from '../../transform/index.ts'
import { formatRows } from '../output.ts'

export type CiReport = {
  base: { environment: string; reference: string }
  environment: string
  results: readonly NodeResult[]
  changes: readonly ModelChange[]
  diffs: readonly TableDiff[]
  /** Selected models whose data is as it was. */
  kept: boolean
}

export function markdownOf({ base, environment, results, changes, diffs, kept }: CiReport): string {
  const bad = results.filter(isBad)
  const tests = results.filter(({ kind }) => kind === 'test' || kind === 'unit_test')
  const built = results.filter(({ kind, status }) => kind !== 'test' && kind !== 'unit_test' && status === 'success')
  const passed = tests.filter(({ status }) => status === 'pass').length
  const verdict = bad.length > 0 ? `${bad.length} failed` : 'all passed'
  const breaking = changes.filter(({ severity }) => severity === 'breaking').length
  return `${[
    `## Boathouse: ${count(changes.length, 'model')} changed, ${verdict}`,
    '',
    `${count(built.length, 'model')} built and ${passed} of ${count(tests.length, 'test')} passed in \`${environment}\`, compared with \`${base.environment}\` (${base.reference}).${breaking > 0 ? ` **${count(breaking, 'breaking change')}.**` : ''}`,
    ...section('### Failed', bad.length > 0 ? bad.map(failureLine) : []),
    ...section('### Changed models', changes.length > 0 ? changesTable(changes) : []),
    ...section('### Data', diffs.length > 0 ? dataTable(diffs) : []),
    ...diffs.flatMap(detailsOf),
    ...(kept
      ? [
          '',
          `The environment is kept: \`boathouse query --env ${environment} "…"\`, \`boathouse env drop ${environment}\`.`,
        ]
      : []),
  ].join('\n')}\n`
}

/** What is different in the rows of tables, with a few of them. */
export const dataMarkdown = (diffs: readonly TableDiff[]): string =>
  [...dataTable(diffs), ...diffs.flatMap(detailsOf)].join('\n')

const count = (many: number, one: string): string => `${many.toLocaleString('en')} ${one}${many === 1 ? '' : 's'}`
const section = (title: string, lines: readonly string[]): string[] =>
  lines.length > 0 ? ['', title, '', ...lines] : []
/** Text inside a table or a line; nothing in it is markup. */
const cell = (text: string): string => text.replaceAll('\n', ' ').replace(/[|<>*_`[\]\\]/g, (mark) => `\\${mark}`)
const code = (text: string): string => `\`${text.replaceAll('`', "'").replaceAll('|', '\\|').replaceAll('\n', ' ')}\``

const failureLine = ({ name, message, place }: NodeResult): string =>
  `- ${code(name)}${place?.file ? ` (${code(`${place.file}${place.line ? `:${place.line}` : ''}`)})` : ''}: ${cell(message.split('\n')[0]!)}`

const words: Record<ModelChange['severity'], string> = {
  breaking: '**breaking**',
  values: 'values may change',
  'non-breaking': 'non-breaking',
  unknown: 'not known: it could not be checked',
}

function changesTable(changes: readonly ModelChange[]): string[] {
  const columnText = ({ name, change, before, after }: ModelChange['columns'][number]) => {
    if (change === 'added') return `+ ${code(name)}`
    if (change === 'removed') return `− ${code(name)}`
    if (change === 'retyped') return `${code(name)}: ${before} → ${after}`
    return before === after
      ? `${code(name)}: another expression`
      : `${code(name)} is made of ${cell(after || 'nothing')}`
  }
  return [
    '| model | change | | affects |',
    '| --- | --- | --- | --- |',
    ...changes.map(({ name, change, severity, columns, rowsChanged, impact }) => {
      const what = [...columns.map(columnText), ...(rowsChanged ? ['other rows'] : [])]
      const shown = change === 'modified' ? what.join('<br>') || 'SQL' : change
      return `| ${code(name)} | ${shown} | ${words[severity]} | ${impactText(impact)} |`
    }),
  ]
}

const number = (value: number | null): string => (value === null ? '-' : value.toLocaleString('en'))

function dataTable(diffs: readonly TableDiff[]): string[] {
  const schemaText = ({ name, before, after }: TableDiff['schema'][number]) =>
    before === null ? `+ ${code(name)}` : after === null ? `− ${code(name)}` : `${code(name)}: ${before} → ${after}`
  return [
    '| table | rows | added | removed | changed | columns |',
    '| --- | ---: | ---: | ---: | ---: | --- |',
    ...diffs.map(({ table, rowsBefore, rowsAfter, added, removed, changed, key, columns, schema }) => {
      const rows = rowsBefore === rowsAfter ? number(rowsAfter) : `${number(rowsBefore)} → ${number(rowsAfter)}`
      const same = rowsBefore !== null && rowsAfter !== null && added + removed + changed + schema.length === 0
      const details = [
        ...(rowsBefore === null ? ['new table'] : rowsAfter === null ? ['gone'] : schema.map(schemaText)),
        ...columns.map((one) => `${code(one.name)}: ${number(one.changed)}`),
      ]
      return `| ${code(table)} | ${rows} | ${number(added)} | ${number(removed)} | ${key ? number(changed) : '-'} | ${same ? 'identical' : details.join('<br>')} |`
    }),
  ]
}

function detailsOf({ table, key, samples }: TableDiff): string[] {
  if (samples.length === 0) return []
  const by = key ? `rows told apart by ${key.join(', ')}` : 'whole rows compared'
  return [
    '',
    `<details><summary>${code(table)}: ${by}</summary>`,
    ...samples.flatMap(({ change, columns, rows }) => [
      '',
      `${change}:`,
      '',
      formatRows(
        'md',
        columns,
        rows.map((row) => row.map(shown)),
      ),
    ]),
    '',
    '</details>',
  ]
}

/** A value as it stands in a table of Markdown: no markup, and not long. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return (text.length > 60 ? `${text.slice(0, 59)}…` : text).replace(/[<>*_`[\]\\]/g, (mark) => `\\${mark}`)
}
