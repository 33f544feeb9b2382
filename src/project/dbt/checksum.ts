// dbt's fingerprints of files, by which states are compared.

import { hash } from 'node:crypto'
import type { DbtNode } from './types.ts'

type Checksum = DbtNode['checksum']

const sha256 = (text: string): string => hash('sha256', text)

/** dbt reads larger seeds for nothing but their path. */
const seedCharactersMax = 1_000_000

export const noChecksum: Checksum = { name: 'none', checksum: '' }

/** Of an SQL file: how its words are spaced does not count. */
export const fileChecksum = (text: string): Checksum => ({
  name: 'sha256',
  checksum: sha256(text.trim().replace(/\s+/g, ' ')),
})

/** Above so many bytes a seed is surely too large: no character of a text takes more than three. */
export const seedBytesMax = 3 * (seedCharactersMax + 1)

/** Line breaks of other systems do not count. `text` undefined: there are more bytes than `seedBytesMax`, so it was not read. */
export const seedChecksum = (file: string, text: string | undefined): Checksum =>
  text === undefined || text.length > seedCharactersMax
    ? { name: 'path', checksum: file }
    : { name: 'sha256', checksum: sha256(stripped(text.replace(/\r\n?/g, '\n'))) }

/** As Python strips: a mark of the byte order is no white space. */
const stripped = (text: string): string => (text.startsWith('\uFEFF') ? text.trimEnd() : text.trim())
