import { createHash } from 'node:crypto'

/** dbt's fingerprint of a file: what stands between its first and last word. */
export const checksum = (text: string): string => createHash('sha256').update(text.trim()).digest('hex')
