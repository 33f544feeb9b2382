// The reference page of `boathouse dbt`, printed from the tables of verbs and flags.

import { flagTable } from './flag-table.ts'
import { dbtPage, verbPage } from './help.ts'
import { verbs } from './verbs.ts'

export function dbtCommandsPage(): string {
  const ignored = Object.entries(flagTable).filter(([, spec]) => spec.ignored)
  const variables = Object.entries(flagTable).filter(([, { env }]) => env)
  return [
    '# boathouse dbt',
    '',
    'Printed from the commands themselves. How to bring a project over: [how-to/dbt.md](../how-to/dbt.md).',
    '',
    '```text',
    dbtPage(),
    '```',
    '',
    ...Object.keys(verbs).flatMap((name) => [`## dbt ${name}`, '', '```text', verbPage(name), '```', '']),
    '## Flags that are taken and change nothing',
    '',
    "They tune what Boathouse does not have: dbt's caches, parsers and usage statistics.",
    '',
    ignored.map(([name]) => `\`--${name}\``).join(', '),
    '',
    '## Variables',
    '',
    'Each also as `DBT_ENGINE_…`. What stands on the command line goes before them, and they before `flags:` of dbt_project.yml.',
    '',
    ...variables.map(([name, { env }]) => `- \`DBT_${env}\`: \`--${name}\``),
    '',
  ].join('\n')
}
