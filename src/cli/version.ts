import { readFileSync } from 'node:fs'
import { programFile } from '../base/program.ts'

/** The version in package.json. */
export const ownVersion = (): string =>
  (JSON.parse(readFileSync(programFile('package.json'), 'utf8')) as { version: string }).version
