// Finding the files of one kind in a package: below its folders, without what dbt never looks at.

import type { ProjectFiles } from './files.ts'
import { ignoring } from './ignore.ts'
import type { DbtPackage } from './types.ts'

export class ProjectSearch {
  readonly #files: ProjectFiles
  readonly #lists = new Map<string, Promise<string[]>>()
  readonly #texts = new Map<string, Promise<string>>()
  readonly #ignored = new Map<string, Promise<(file: string) => boolean>>()

  /** `allow_jinja_file_extensions`: an `orders.sql.j2` is an SQL file, too. */
  hasJinjaEndings = false

  constructor(files: ProjectFiles) {
    this.#files = files
  }

  /** `root` is the folder of `folders` that a file was found in; a file below two of them is found once. */
  async find(
    from: DbtPackage,
    folders: readonly string[],
    extension: RegExp,
  ): Promise<{ root: string; file: string }[]> {
    const isIgnored = await this.#ignore(from)
    const found = new Map<string, { root: string; file: string }>()
    for (const folder of folders) {
      const root = from.folder === '' ? folder : `${from.folder}/${folder}`
      for (const file of await this.#list(root)) {
        const inPackage = from.folder === '' ? file : file.slice(from.folder.length + 1)
        // Editors leave files beside those that are edited, with names that begin so.
        if (
          !extension.test(this.#plain(file)) ||
          /(?:^|\/)[.#~][^/]*$/.test(file) ||
          found.has(file) ||
          isIgnored(inPackage)
        )
          continue
        found.set(file, { root, file })
      }
    }
    return [...found.values()]
  }

  #plain(file: string): string {
    return this.hasJinjaEndings ? file.replace(/(\.(?:sql|md))\.(?:j2|jinja2?)$/i, '$1') : file
  }

  list(folder: string): Promise<string[]> {
    return this.#list(folder)
  }

  /** '' when there is none. */
  text(file: string): Promise<string> {
    const known = this.#texts.get(file)
    if (known) return known
    const fresh = this.#files.read(file).then((text) => text?.replace(/^\uFEFF/, '') ?? '')
    this.#texts.set(file, fresh)
    return fresh
  }

  read(file: string): Promise<string | undefined> {
    return this.#files.read(file)
  }

  size(file: string): number {
    return this.#files.size(file)
  }

  #list(folder: string): Promise<string[]> {
    const known = this.#lists.get(folder)
    if (known) return known
    const fresh = this.#files.list(folder)
    this.#lists.set(folder, fresh)
    return fresh
  }

  #ignore(from: DbtPackage): Promise<(file: string) => boolean> {
    const known = this.#ignored.get(from.folder)
    if (known) return known
    const fresh = this.#files
      .read(from.folder === '' ? '.dbtignore' : `${from.folder}/.dbtignore`)
      .then((text) => (text === undefined ? () => false : ignoring(text)))
    this.#ignored.set(from.folder, fresh)
    return fresh
  }
}
