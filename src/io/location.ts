import { Failure } from '../base/failure.ts'

/**
 * The path on the local disk of a location, for those that hand files to another program.
 * Accepts `/a/b`, `file:///a/b`, `file:/a/b` (Java's spelling) and `file://localhost/a/b`.
 */
export function localPath(location: string): string {
  if (location.startsWith('/')) return location
  const match = /^file:(?:\/\/(?:localhost)?)?(\/(?!\/).*)$/s.exec(location)
  if (!match) throw new Failure('UNSUPPORTED', `"${location}" is not a file on the local disk`, { location })
  return match[1]!
}

/** True for the spellings that `localPath` reads. */
export const isLocal = (location: string): boolean => /^(\/|file:(\/\/(localhost)?)?\/(?!\/))/.test(location)

/** How we write the location of a local path into metadata: PyIceberg, Java, Trino and DuckDB all open this form. */
export const fileLocation = (path: string): string => `file://${path}`

/** `joinLocation('file:///lake/t/', 'metadata', 'a.json')` is `file:///lake/t/metadata/a.json`. */
export function joinLocation(base: string, ...parts: string[]): string {
  return [base.replace(/\/+$/, ''), ...parts].join('/')
}

/** `s3://bucket/some/key`, with any of the three schemes that Hadoop has for it; undefined for anything else. */
export function s3Location(location: string): { bucket: string; key: string } | undefined {
  const match = /^s3[an]?:\/\/([^/]+)(?:\/(.*))?$/s.exec(location)
  return match ? { bucket: match[1]!, key: match[2] ?? '' } : undefined
}

/** One spelling for `/a`, `//a`, `file:/a` and `file:///a`, and for the three schemes of S3, without slashes at the end. */
export function comparableLocation(location: string): string {
  const path = isLocal(location) ? localPath(location).replace(/\/{2,}/g, '/') : location.replace(/^s3[an]:/i, 's3:')
  return path.replace(/\/+$/, '')
}

/** Whether a file lies somewhere below the folder, and its location says so without `.` and `..`. */
export function isInFolder(location: string, folder: string): boolean {
  const path = comparableLocation(location)
  return (
    path.startsWith(`${comparableLocation(folder)}/`) && !path.split('/').some((part) => part === '.' || part === '..')
  )
}
