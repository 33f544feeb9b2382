// Files of a project as rows of a table: the write host reads only the spool, so it finds them there while they are read.

import { randomUUID } from 'node:crypto'
import { copyFile, link, mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A file by its absolute path. `name`: its path in the spool, relative and without `..`, so that folders that say partitions stay. */
export type LocalFile = { path: string; name: string }

/** Calls `read` with the folder, and the files' paths in it. They are gone afterwards; the files themselves are never touched. */
export async function withFiles<Done>(
  spoolDir: string,
  files: readonly LocalFile[],
  read: (folder: string, paths: string[]) => Promise<Done>,
): Promise<Done> {
  const folder = join(spoolDir, `files-${randomUUID()}`)
  const paths = files.map(({ name }) => join(folder, name))
  try {
    for (const [at, { path }] of files.entries()) {
      const to = paths[at]!
      await mkdir(dirname(to), { recursive: true })
      // A link costs nothing; across file systems there are none.
      await link(path, to).catch(() => copyFile(path, to))
    }
    return await read(folder, paths)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
