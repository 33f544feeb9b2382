// A CSV dropped on the page becomes a source of the project, as `boathouse ingest add` writes it, and a run that loads it.

import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../../base/failure.ts'
import { addSource } from '../../../ingest/index.ts'
import { readSources } from '../../../project/index.ts'

export type Upload = { path: string; fileName: string; table: string; mode: 'replace' | 'append' }

/**
 * Copies the file into `data/` and writes its source, or, for the next file of the same name for the same table, only
 * replaces the file: what somebody wrote into the source by hand stays.
 * @throws ALREADY_EXISTS when another source has the name
 */
export async function addUpload(
  projectDir: string,
  { path, fileName, table, mode }: Upload,
): Promise<{ name: string; file: string }> {
  const { items } = await readSources(projectDir)
  const existing = items.find(({ value }) => value.name === table)
  if (!existing) {
    const { file } = await addSource(projectDir, { file: path, table: `raw.${table}`, name: table, mode })
    return { name: table, file }
  }
  const { value } = existing
  if (value.path !== `data/${fileName}` || value.table !== `raw.${table}` || value.mode !== mode)
    throw new Failure('ALREADY_EXISTS', `the source ${table} is there already, for ${value.path} (${value.mode})`, {
      place: { file: existing.file },
      hint: 'Choose another name for the table, or change the source.',
    })
  await copyFile(path, join(projectDir, 'data', fileName))
  return { name: table, file: existing.file }
}
