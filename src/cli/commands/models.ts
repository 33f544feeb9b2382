import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import type { Command, Context, Option } from '../command.ts'
import { table } from '../output.ts'

export const selectOptions: Record<string, Option> = {
  select: {
    type: 'string',
    short: 's',
    multiple: true,
    value: 'PATTERN',
    about: 'What to run: a name, a path, tag:NAME, with + before or after for parents and children.',
  },
  exclude: { type: 'string', multiple: true, value: 'PATTERN', about: 'What to leave out, in the same words.' },
}

/** The words of --select, --exclude and the arguments. */
export const selectionOf = ({ args, flags }: Context): { select: string[]; exclude: string[] } => {
  const words = (texts: readonly string[]) => texts.flatMap((text) => text.split(/\s+/)).filter(Boolean)
  return { select: words([...args, ...flags.list('select')]), exclude: words(flags.list('exclude')) }
}

export const list: Command = {
  name: 'ls',
  summary: 'The models, tests and sources of the dbt project.',
  arguments: '[PATTERN...]',
  options: selectOptions,
  examples: ['boathouse ls', 'boathouse ls +daily_revenue --json'],
  async run(context) {
    const app = await context.open()
    const found = await app.pipeline.list({ environment: app.environment, ...selectionOf(context) })
    context.out.answer(found, () =>
      found.length === 0
        ? 'Nothing is selected.'
        : table(
            ['name', 'kind', 'table', 'materialized', 'file'],
            found.map((one) => [
              one.name,
              one.kind,
              one.table?.split('.').slice(1).join('.') ?? '',
              one.kind === 'model' ? one.materialized : '',
              one.file,
            ]),
          ),
    )
  },
}

export const compile: Command = {
  name: 'compile',
  summary: 'Write the SQL of models and tests to target/compiled, without running it.',
  arguments: '[PATTERN...]',
  options: { ...selectOptions, print: { type: 'boolean', about: 'Print it instead of writing files.' } },
  examples: ['boathouse compile', 'boathouse compile stg_sales --print'],
  async run(context) {
    const app = await context.open()
    const compiled = await app.pipeline.compile({
      environment: app.environment,
      ...selectionOf(context),
      signal: context.signal,
    })
    if (compiled.length === 0)
      throw new Failure('USAGE', 'nothing is selected', { hint: '`boathouse ls` lists what there is.' })
    if (context.flags.is('print') || context.out.json)
      return context.out.answer(compiled, () =>
        compiled.map(({ uniqueId, sql }) => `-- ${uniqueId}\n${sql.trim()}\n`).join('\n'),
      )
    for (const { uniqueId, file, sql } of compiled) {
      // Several tests come from one YAML file, so they get a file each.
      const path = join(
        app.config.dir,
        'target',
        'compiled',
        app.config.name,
        file.endsWith('.sql') ? file : join(file, `${uniqueId}.sql`),
      )
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, `${sql.trim()}\n`)
    }
    context.out.answer(compiled, `Compiled ${compiled.length} into target/compiled.`)
  },
}
