// A CSV dropped on the page becomes a source of the project, as `boathouse ingest add` writes it, and a run that loads it.

import { constants } from 'node:fs'
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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
  const target = join(projectDir, 'data', fileName)
  if (!existing) return await addNew(projectDir, { path, fileName, table, mode }, target)
  const { value } = existing
  if (value.path !== `data/${fileName}` || value.table !== `raw.${table}` || value.mode !== mode)
    throw new Failure('ALREADY_EXISTS', `the source ${table} is there already, for ${value.path} (${value.mode})`, {
      place: { file: existing.file },
      hint: 'Choose another name for the table, or change the source.',
    })
  await copyFile(path, target)
  return { name: table, file: existing.file }
}

async function addNew(
  projectDir: string,
  { path, fileName, table, mode }: Upload,
  target: string,
): Promise<{ name: string; file: string }> {
  await mkdir(dirname(target), { recursive: true })
  try {
    await copyFile(path, target, constants.COPYFILE_EXCL)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Failure('ALREADY_EXISTS', `data/${fileName} is there already`, { hint: 'Rename the file.', cause: error })
  }
  try {
    const { file } = await addSource(projectDir, { file: target, table: `raw.${table}`, name: table, mode })
    return { name: table, file }
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
}
