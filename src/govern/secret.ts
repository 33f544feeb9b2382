// Session cookies, log-in links and API tokens are 256 random bits. Only their SHA-256 is stored, so a copy of the
// records lets nobody in; a fast hash is enough because there is nothing to guess. They are looked up by the hash: the
// time an index takes tells about the hash of what was sent, which says nothing about a token.

import { createHash, randomBytes } from 'node:crypto'

/** `prefix` and 43 characters of base64url. */
export const newSecret = (prefix = ''): string => prefix + randomBytes(32).toString('base64url')

/** 64 hexadecimal digits. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export const tokenPrefix = 'bh_'
