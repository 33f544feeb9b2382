import { writeFile } from 'node:fs/promises'
import { dbtCommandsPage } from '../src/cli/commands/dbt/page.ts'

await writeFile('docs/reference/dbt-commands.md', dbtCommandsPage())
