import { readFile } from 'node:fs/promises'

/** The version in package.json. */
export const versionOf = async (): Promise<string> =>
  (JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version
