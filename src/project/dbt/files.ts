// The files of a dbt project, through an interface so small that a test can be one.

import { readFileSync, statSync } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'

export interface ProjectFiles {
  /** All files below `folder` (relative, forward slashes), sorted; none when it does not exist. */
  list(folder: string): Promise<string[]>
  /** The text of a file; undefined when there is none. */
  read(file: string): Promise<string | undefined>
  /** How many bytes the file has; 0 when there is none. */
  size(file: string): number
}

export function diskFiles(dir: string): ProjectFiles {
  return {
    async list(folder) {
      const found: string[] = []
      await walk(dir, folder, found, [])
      return found.sort()
    },
    // Small files by the thousand: to wait for each of them takes ten times as long as to read it.
    async read(file) {
      try {
        return readFileSync(join(dir, file), 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    size: (file) => statSync(join(dir, file), { throwIfNoEntry: false })?.size ?? 0,
  }
}

/** Links to folders are followed, as local packages are such links; a link into a folder above itself is not. */
async function walk(dir: string, folder: string, found: string[], above: readonly string[]): Promise<void> {
  const here = join(dir, folder)
  const entries = await readdir(here, { withFileTypes: true, recursive: true }).catch(() => [])
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const file = relative(dir, path).replaceAll('\\', '/')
    if (entry.isFile()) found.push(file)
    else if (entry.isSymbolicLink()) {
      const real = await realpath(path).catch(() => undefined)
      const kind = real === undefined ? undefined : await stat(real)
      if (kind?.isFile()) found.push(file)
      else if (kind?.isDirectory() && !above.includes(real!) && above.length < linksMax)
        await walk(dir, file, found, [...above, real!])
    }
  }
}

/** Links within links. */
const linksMax = 8

/** Files that live in a record, for tests: `{ 'models/a.sql': 'select 1' }`. */
export function recordFiles(record: Readonly<Record<string, string>>): ProjectFiles {
  const names = Object.keys(record).sort()
  return {
    list: (folder) => Promise.resolve(names.filter((name) => name.startsWith(folder === '' ? '' : `${folder}/`))),
    read: (file) => Promise.resolve(record[file]),
    size: (file) => Buffer.byteLength(record[file] ?? ''),
  }
}
