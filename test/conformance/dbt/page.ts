// Compares many projects, and prints the page of verdicts.
//
//     node test/conformance/dbt/page.ts PROJECTS GOLDENS [NAME …] [--command] > docs/reference/dbt-compatibility.md
//
// PROJECTS is what lay-out.ts made, GOLDENS a folder of NAME.json. A project without a golden is left out. With --command
// each is built by `boathouse dbt` in its folder, as a person would: slower, and every part of the program is in it.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Figures } from './differences.ts'
import { publicProjects, readProjects, type Origin } from './projects.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { command: { type: 'boolean' } } })
const [folder, goldens, ...names] = positionals
if (folder === undefined || goldens === undefined) throw new Error('usage: page.ts PROJECTS GOLDENS [NAME …]')

const work = mkdtempSync(join(tmpdir(), 'verdicts-'))
const rows = publicProjects.flatMap((project) => {
  const golden = join(goldens, `${project.name}.json`)
  if (!existsSync(golden) || (names.length > 0 && !names.includes(project.name))) return []
  const json = join(work, `${project.name}.json`)
  const compare = join(import.meta.dirname, 'compare.ts')
  const { stdout } = spawnSync(
    process.execPath,
    [compare, join(folder, project.name), '--golden', golden, '--json', json, ...(values.command ? ['--command'] : [])],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 },
  )
  process.stderr.write(stdout)
  if (!existsSync(json)) return []
  const figures = JSON.parse(readFileSync(json, 'utf8')) as Figures
  const cells = (['nodes', 'parents', 'statuses', 'sql', 'tables'] as const).map((what) => {
    const [equal, total] = figures[what]
    return equal === total ? String(total) : `${equal} of ${total}`
  })
  return [`| ${project.name} | ${whereOf(project)} | ${cells.join(' | ')} | ${project.note ?? ''} |`]
})
rmSync(work, { recursive: true })

function whereOf({ repository, folder }: Origin): string {
  return `[${repository}](https://github.com/${repository})${folder === undefined ? '' : ` \`${folder}\``}`
}

console.log(`# dbt projects that were built here and by dbt-core

Each project was built as it is, with the same packages and seeds, by dbt-core 1.12.6 with dbt-duckdb 1.11.1 and here. A
number says that all are equal: nodes, what each is built upon, the status of each after \`build\` (red ones included),
the compiled SQL (white space aside), the rows and columns of each table. \`a of b\` says that some differ.

dbt-core built most of them the day before: what is made of today's date (spines of dates, days overdue, ages) is then a day
further here. That is all that differs where no note says otherwise.

Printed by \`test/conformance/dbt/page.ts\`; \`compare.ts\` beside it does one project and prints every difference.

| project | from | nodes | parents | status | SQL | tables | |
| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}

## Projects that were read here and by dbt-core

These want another database, or data that are not in the repository. dbt-core parsed each, or compiled it where it could without
data; every value of \`manifest.json\` is equal here but for what is noted (and the text of the overview), and all SQL that dbt compiled. Compared by \`manifest.ts\`.

| from | nodes | compiled | |
| --- | ---: | ---: | --- |
${readProjects.map((project) => `| ${whereOf(project)} | ${project.nodes} | ${project.compiled} | ${project.note ?? ''} |`).join('\n')}`)
