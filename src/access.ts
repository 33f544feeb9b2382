// Who may do what, as the project says it: access.yml into the records, at the start of the server and of a run and when asked;
// the issuer of tokens from the settings. Part of the composition root.
//
// A file that is broken or gone changes nothing: without its row filters and masks more would be seen, not less.

import { readFile } from 'node:fs/promises'
import { Failure } from './base/failure.ts'
import type { Log } from './base/log.ts'
import type { Config } from './config/index.ts'
import type { AccessDiff, Govern, JwtSettings, Principal } from './govern/index.ts'
import { accessRules, orThrow, readAccess } from './project/index.ts'

type Options = { dir: string; govern: Pick<Govern, 'access'>; by: Principal; dryRun?: boolean }

/** Undefined without a file. @throws Failures of the file; FORBIDDEN */
export async function applyAccess({ dir, govern, by, dryRun = false }: Options): Promise<AccessDiff | undefined> {
  const [file] = orThrow(await readAccess(dir))
  if (!file) return undefined
  return govern.access.apply(accessRules(file.value), { by, source: 'access.yml', dryRun })
}

/** As `applyAccess`, for a start that must not fail for it. */
export async function applyAccessAtStart(options: Options & { log: Log }): Promise<void> {
  const { log } = options
  try {
    const diff = await applyAccess(options)
    if (diff && diff.added.length + diff.removed.length > 0) log.info('rights changed as access.yml says', diff)
  } catch (error) {
    log.error('access.yml was not applied; what was applied before holds', { reason: (error as Error).message })
  }
}

/** @throws CONFIG_INVALID for a file of keys that cannot be read */
export async function jwtSettings({ jwt }: Pick<Config, 'jwt'>): Promise<JwtSettings | undefined> {
  if (!jwt) return undefined
  const { jwks, publicKey, ...claims } = jwt
  if (jwks?.includes('://')) return { ...claims, keys: { jwksUrl: jwks } }
  const path = (jwks ?? publicKey)!
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Failure('CONFIG_INVALID', `auth.jwt: ${path} cannot be read`, { cause })
  })
  return { ...claims, keys: jwks === undefined ? { publicKey: text } : { jwks: text } }
}
