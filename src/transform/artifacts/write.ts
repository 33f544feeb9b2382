// Where artifacts go, and writing them so that a reader never sees half of one.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { basename, dirname, join, posix } from 'node:path'
import type { DbtNode } from '../../project/dbt/index.ts'

/** Writes a file beside its place and moves it there. They are small and there are thousands: a thread for each costs more. */
export function writeWhole(file: string, text: string): void {
  const beside = `${file}.${randomUUID()}.tmp`
  try {
    writeInFolder(beside, text)
    renameSync(beside, file)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}

function writeInFolder(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}

export const writeJson = (file: string, value: unknown): void => writeWhole(file, JSON.stringify(value))

type Filed = Pick<DbtNode, 'package' | 'path' | 'name'> & { kind: DbtNode['kind'] | 'operation'; fileInPackage: string }

/** `compiled/shop/models/orders.sql`; where a file may define several nodes it is a folder of them, as dbt lays it out. */
export function pathInTarget(kind: 'compiled' | 'run', node: Filed): string {
  const { package: name, path, fileInPackage } = node
  const own = node.kind === 'snapshot' ? `${node.name}.sql` : path
  const isFile = node.kind !== 'snapshot' && basename(path) === basename(fileInPackage)
  const file = isFile ? fileInPackage : posix.join(fileInPackage, own)
  // Paths come from file names and from names of tests: neither may lead out of the folder.
  return join(kind, name, posix.join('/', file.replaceAll('\\', '/')))
}
