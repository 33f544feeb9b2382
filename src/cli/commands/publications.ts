import { showDuration } from '../../base/units.ts'
import type { Publication } from '../../catalog/index.ts'
import { assertWritable } from '../../config/index.ts'
import { authorise } from '../../govern/index.ts'
import { noArguments, oneArgument, type Command } from '../command.ts'
import { table } from '../output.ts'

export const publicationsList: Command = {
  name: 'publications ls',
  summary: 'What was published, newest first: each line was made visible in one step.',
  examples: ['boathouse publications ls'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const all = await app.publications.list({ catalog: app.environment.catalog })
    context.out.answer(all, () =>
      all.length === 0
        ? 'Nothing was published yet.'
        : table(
            ['publication', 'published', 'by', 'run', 'tables', ''],
            all.map((one) => [
              one.id,
              `${showDuration(Date.now() - Date.parse(one.publishedAt))} ago`,
              one.publishedBy,
              one.runId,
              one.tables.map(({ table: name }) => name.split('.').slice(1).join('.')).join(', '),
              one.rolledBackAt ? 'rolled back' : '',
            ]),
          ),
    )
  },
}

export const publicationsShow: Command = {
  name: 'publications show',
  summary: 'The tables and snapshots of one publication.',
  arguments: 'PUBLICATION',
  examples: ['boathouse publications show 01k2…'],
  async run(context) {
    const id = oneArgument(context, 'PUBLICATION')
    const app = await context.open()
    const one = await app.publications.get(id)
    context.out.answer(one, () => show(one))
  },
}

export const publicationsRollback: Command = {
  name: 'publications rollback',
  summary: 'Restore what a publication replaced. Refused when a table was written since.',
  arguments: 'PUBLICATION',
  examples: ['boathouse publications rollback 01k2…'],
  async run(context) {
    const id = oneArgument(context, 'PUBLICATION')
    const app = await context.open()
    assertWritable(app.environment)
    authorise(app.principal, 'rollback', { kind: 'publication', name: id })
    const undone = await app.publications.rollback(id, app.principal.name)
    context.out.answer(undone, () => `Rolled back ${id} by publication ${undone.id}:\n${show(undone)}`)
  },
}

const show = (one: Publication) =>
  [
    `${one.id} in ${one.catalog}, ${one.publishedAt} by ${one.publishedBy}${one.rolledBackAt ? `, rolled back ${one.rolledBackAt}` : ''}`,
    table(
      ['table', 'kind', 'action', 'from', 'to'],
      one.tables.map((entry) => [
        entry.table,
        entry.kind,
        entry.action,
        entry.fromSnapshot ?? '-',
        entry.toSnapshot ?? '-',
      ]),
    ),
  ].join('\n')
