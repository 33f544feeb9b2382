// Where the program's own files are: package.json, the built pages, the examples.

/** The folder of package.json. This file lies two folders below it; the built program (`dist/`) is one below. */
const root = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../', import.meta.url)

/** A file or folder of the program, by its path from package.json. */
export const programFile = (path: string): URL => new URL(path, root)
