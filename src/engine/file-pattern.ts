/** The pattern that means a file of this path and no other: what DuckDB is told to read may have wildcards in it. */
export const filePattern = (path: string): string => path.replace(/[*?[]/g, '[$&]')
