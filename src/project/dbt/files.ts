// The files of a dbt project, through an interface so small that a test can be one.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ProjectFiles {
  /** All files below `folder` (relative, forward slashes), sorted; none when it does not exist. */
  list(folder: string): Promise<string[]>
  /** The text of a file; undefined when there is none. */
  read(file: string): Promise<string | undefined>
}

export function diskFiles(dir: string): ProjectFiles {
  return {
    async list(folder) {
      const entries = await readdir(join(dir, folder), { withFileTypes: true, recursive: true }).catch(() => [])
      const inside = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
      const root = join(dir, '.')
      return inside.map((path) => path.slice(root.length).replaceAll('\\', '/').replace(/^\//, '')).sort()
    },
    async read(file) {
      try {
        return await readFile(join(dir, file), 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
  }
}

/** Files that live in a record, for tests: `{ 'models/a.sql': 'select 1' }`. */
export function recordFiles(record: Readonly<Record<string, string>>): ProjectFiles {
  const names = Object.keys(record).sort()
  return {
    list: (folder) => Promise.resolve(names.filter((name) => name.startsWith(folder === '' ? '' : `${folder}/`))),
    read: (file) => Promise.resolve(record[file]),
  }
}
