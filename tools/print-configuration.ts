// Prints docs/reference/configuration.md and the JSON schema of boathouse.yml from the table of settings.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { boathouseJsonSchema, printConfigurationPage } from '../src/config/print.ts'

const folder = join(import.meta.dirname, '../docs/reference')
await mkdir(join(folder, 'schemas'), { recursive: true })
await writeFile(join(folder, 'configuration.md'), printConfigurationPage())
await writeFile(join(folder, 'schemas/boathouse.schema.json'), `${JSON.stringify(boathouseJsonSchema(), null, 2)}\n`)
