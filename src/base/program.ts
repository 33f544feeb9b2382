// Where the program's own files are: package.json, the built pages, the examples.

/** The folder of package.json: two folders above this file, and above the files of a built program. */
const root = new URL('../../', import.meta.url)

/** A file or folder of the program, by its path from package.json. */
export const programFile = (path: string): URL => new URL(path, root)
