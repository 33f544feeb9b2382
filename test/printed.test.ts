import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { dbtCommandsPage } from '../src/cli/commands/dbt/page.ts'
import { commandsPage } from '../src/cli/reference.ts'
import { roomsPage } from '../src/rooms.ts'
import { compatibilityPage } from './conformance/engines/page.ts'

// Pages that are printed from the code: `make docs` prints them again.

test.each([
  ['src/README.md', roomsPage],
  ['docs/reference/commands.md', commandsPage],
  ['docs/reference/dbt-commands.md', dbtCommandsPage],
  ['docs/reference/compatibility.md', compatibilityPage],
])('%s is what the code says', async (file, print) => expect(await readFile(file, 'utf8')).toBe(print()))
