// Prints docs/reference/http.md from the routes of the contract.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openapi } from '../src/contract/index.ts'
import { printReference } from '../src/serve/http/reference.ts'

const folder = join(import.meta.dirname, '../docs/reference')
await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'http.md'), printReference(openapi('')))
