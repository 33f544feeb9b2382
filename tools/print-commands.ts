// Prints docs/reference/commands.md.

import { writeFile } from 'node:fs/promises'
import { commandsPage } from '../src/cli/reference.ts'

await writeFile(new URL('../docs/reference/commands.md', import.meta.url), commandsPage())
