import { readFile } from 'node:fs/promises'
import { programFile } from '../base/program.ts'

/** The version in package.json. */
export const versionOf = async (): Promise<string> =>
  (JSON.parse(await readFile(programFile('package.json'), 'utf8')) as { version: string }).version
