// Where artifacts go, and writing them so that a reader never sees half of one.

import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { basename, dirname, join, posix } from 'node:path'
import type { DbtNode } from '../../project/dbt/index.ts'

/** Writes a file beside its place and moves it there. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const beside = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(beside, text)
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

export const writeJson = (file: string, value: unknown): Promise<void> => writeWhole(file, JSON.stringify(value))

type Filed = Pick<DbtNode, 'package' | 'path'> & { fileInPackage: string }

/** `compiled/shop/models/orders.sql`; where a file defines several nodes it is a folder of them, as dbt lays it out. */
export function pathInTarget(kind: 'compiled' | 'run', { package: name, path, fileInPackage }: Filed): string {
  const file = basename(path) === basename(fileInPackage) ? fileInPackage : posix.join(fileInPackage, path)
  // Paths come from file names and from names of tests: neither may lead out of the folder.
  return join(kind, name, posix.join('/', file.replaceAll('\\', '/')))
}
