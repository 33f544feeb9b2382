// Prints the JSON schemas of the YAML files of a project, except boathouse.yml (that is print-configuration.ts).

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { printSchemas } from '../src/project/schemas.ts'

const folder = join(import.meta.dirname, '../docs/reference/schemas')
await mkdir(folder, { recursive: true })
await Promise.all(Object.entries(printSchemas()).map(([name, text]) => writeFile(join(folder, name), text)))
