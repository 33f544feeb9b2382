// init: a dbt project that builds as it is, here and by dbt itself.

import { mkdir, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { Failure } from '../../../base/failure.ts'
import type { Context } from '../../command.ts'
import { dbtFolderOf } from '../../dbt-folder.ts'
import type { DbtFlags } from './flags.ts'

export async function init({ dir, out }: Context, [name]: readonly string[], flags: DbtFlags): Promise<number> {
  const base = resolve(dir, flags.text('project') ?? flags.text('project-dir') ?? '.')
  const around = dbtFolderOf(base)
  if (around !== undefined) {
    // dbt asks for a connection now; here there is none to ask for.
    out.line(`${around} is a dbt project already, and needs no profile: \`boathouse dbt build\` builds it.`)
    return 0
  }
  if (name === undefined)
    throw new Failure('USAGE', 'dbt init needs the name of the project', {
      hint: 'For example: boathouse dbt init shop',
    })
  if (!/^[A-Za-z_]\w*$/.test(name) || name === 'dbt' || name === 'dbt_duckdb')
    throw new Failure('USAGE', `"${name}" is not a valid project name`, {
      hint: 'Letters, digits and underscores, no digit first; "dbt" and "dbt_duckdb" are taken.',
    })
  const target = join(base, name)
  if (existsSync(target))
    throw new Failure('ALREADY_EXISTS', `${target} exists already`, {
      hint: 'Nothing was changed. Choose another name, or another folder to begin in.',
    })
  const profile = flags.text('profile')
  const files = starter(name, profile ?? name, { hasProfile: profile === undefined && !flags.is('skip-profile-setup') })
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(target, file)), { recursive: true }).catch(unusable(target))
    await writeFile(join(target, file), text).catch(unusable(target))
  }
  out.line(
    `Your new dbt project "${name}" was created in ${target}.\nNext: cd ${relative(dir, target)} && boathouse dbt build`,
  )
  return 0
}

const unusable = (folder: string) => (cause: NodeJS.ErrnoException) => {
  throw new Failure('STORAGE_FAILED', `${folder} cannot be written: ${cause.message}`, {
    cause,
    hint: 'Choose a folder in which you may write.',
  })
}

/** With the names that dbt's own lessons use. */
const starter = (name: string, profile: string, { hasProfile }: { hasProfile: boolean }): Record<string, string> => ({
  'dbt_project.yml': `name: ${name}
version: '1.0.0'
profile: ${profile}

model-paths: [models]
analysis-paths: [analyses]
test-paths: [tests]
seed-paths: [seeds]
macro-paths: [macros]
snapshot-paths: [snapshots]
clean-targets: [target, dbt_packages]

models:
  ${name}:
    example:
      +materialized: view # of all models in models/example that do not say otherwise
`,
  // Not needed here; dbt-duckdb builds the same project with it.
  ...(hasProfile && {
    'profiles.yml': `${profile}:
  target: dev
  outputs:
    dev: {type: duckdb, path: ${name}.duckdb, threads: 4}
`,
  }),
  'models/example/my_first_dbt_model.sql': `-- What a file says of itself goes before dbt_project.yml.
{{ config(materialized='table') }}

select 1 as id
union all
select 2 as id
`,
  'models/example/my_second_dbt_model.sql': `-- \`ref\` names another model, which is built first.
select *
from {{ ref('my_first_dbt_model') }}
where id = 1
`,
  'models/example/schema.yml': `models:
  - name: my_first_dbt_model
    description: A first model
    columns:
      - {name: id, description: Its key, data_tests: [unique, not_null]}
  - name: my_second_dbt_model
    description: A model that reads the first
    columns:
      - {name: id, description: Its key, data_tests: [unique, not_null]}
`,
  ...Object.fromEntries(['analyses', 'macros', 'seeds', 'snapshots', 'tests'].map((each) => [`${each}/.gitkeep`, ''])),
  '.gitignore': 'target/\ndbt_packages/\nlogs/\n.boathouse/\n*.duckdb\n',
})
