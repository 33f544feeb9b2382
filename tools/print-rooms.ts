// Prints src/README.md.

import { writeFile } from 'node:fs/promises'
import { roomsPage } from '../src/rooms.ts'

await writeFile(new URL('../src/README.md', import.meta.url), roomsPage())
