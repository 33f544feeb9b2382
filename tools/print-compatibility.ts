// Prints docs/reference/compatibility.md from what `make conformance` found.

import { writeFile } from 'node:fs/promises'
import { compatibilityPage } from '../test/conformance/engines/page.ts'

await writeFile(new URL('../docs/reference/compatibility.md', import.meta.url), compatibilityPage())
