// Prints golden_versions.md from package-lock.json.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { printGoldenVersions } from '../src/config/golden-versions.ts'

const root = join(import.meta.dirname, '..')
await writeFile(
  join(root, 'golden_versions.md'),
  printGoldenVersions(await readFile(join(root, 'package-lock.json'), 'utf8')),
)
