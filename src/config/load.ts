// From the environment, `.env` and `boathouse.yml` to typed settings, or to one list of everything that is wrong.
//
// A start that stops at the first mistake makes people start five times. So nothing here throws before the end:
// each source, setting and cross-check adds its mistakes to one list, and each mistake says where the value came
// from, what was found and what a right one looks like.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument, type Document, type YAMLMap } from 'yaml'
import { Failure, Failures, type Place } from '../base/failure.ts'
import { type DotenvEntry, parseDotenv } from './dotenv.ts'
import { environmentOfBranch, type Environment, gitBranch } from './environment.ts'
import { type Machine, networkFileSystem, realMachine } from './machine.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import { isSecretName, maskUrl, secretsIn } from './secrets.ts'
import {
  type EnvironmentEntry,
  type Expectation,
  type Setting,
  type SettingName,
  settings,
  type Values,
} from './settings.ts'

export type Config = {
  name: string
  /** Absolute path of the project: the folder of boathouse.yml. */
  dir: string
  environments: Record<string, EnvironmentEntry>
  /** What holds without `--env`; `resolveEnvironment` gives the whole answer. */
  environment: { name: string; chosenBy: Exclude<Environment['chosenBy'], '--env'> }
  stateDir: string
  storage: {
    /** An absolute path, or `s3://bucket/folder`. */
    root: string
    endpoint: string | undefined
    region: string | undefined
    pathStyle: boolean | undefined
    conditionalWrites: 'auto' | 'on' | 'off'
    cacheDir: string
    cacheBytes: number
  }
  records: { url: string | undefined; schema: string }
  redis: { url: string | undefined }
  http: { host: string; port: number; publicUrl: string | undefined }
  /** The PostgreSQL endpoint. `port` undefined: the usual one, if it is free. `tls`: the paths of two files. */
  pg: {
    enabled: boolean
    host: string
    port: number | undefined
    tls: { certFile: string; keyFile: string } | undefined
    plaintext: boolean
    auth: 'scram' | 'password'
    connectionsMax: number
  }
  /** Of the Iceberg REST catalog that is served. */
  catalog: {
    trustClients: boolean
    protectedWrites: boolean
    warehouses: string[]
    locations: string[]
    /** The server that keeps the tables' names, when it is not the records. */
    external: ExternalCatalog | undefined
  }
  results: { cacheBytes: number; diskBytes: number }
  /** Folders for COPY. */
  copyDirectories: string[]
  admin: { password: string | undefined }
  /** Whose tokens are taken beside our own. */
  jwt: Jwt | undefined
  limits: {
    memoryBytes: number
    threads: number
    queryTimeoutMs: number
    queryRows: number
    /** For everybody but Boathouse itself. */
    perPrincipal: { queries: number; waiting: number; resultBytes: number }
    uploadBytes: number
    tempBytes: number
  }
  engine: { slots: { interactive: number; heavy: number; write: number } }
  log: {
    level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
    format: 'auto' | 'pretty' | 'json'
    retentionMs: number
    auditRetentionMs: number
  }
  timezone: string
  worker: { concurrency: number }
  dbt: { publish: 'passed-only' | 'always' }
  schedules: { enabled: boolean }
  doctor: Expectation[]
  /** The process's variables over those of `.env`: what sources and `env_var` see. */
  env: Record<string, string>
  /** Values that must never be printed; `openLog` hides them. */
  secrets: string[]
}

export type ExternalCatalog = {
  uri: string
  warehouse: string | undefined
  environmentAs: 'warehouse' | 'namespace'
  credential: string | undefined
  token: string | undefined
  scope: string
  audience: string | undefined
  oauthUri: string | undefined
  /** Sent with every request. */
  headers: Record<string, string>
  vendedCredentials: boolean
  sigv4Service: string | undefined
}

/** One value from the command line, such as `{ setting: 'httpPort', value: '9000', from: '--port' }`. */
export type Override = { setting: SettingName; value: string; from: string }

type Options = {
  dir: string
  env?: Record<string, string | undefined>
  overrides?: readonly Override[]
  machine?: Machine
  /** Text that stands for boathouse.yml where there is none: a folder that is only a dbt project. */
  instead?: string
}

/** The nearest folder at or above `from` that holds a boathouse.yml, or what else marks one. */
export function findProjectDir(from: string, file = 'boathouse.yml'): string | undefined {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    if (existsSync(join(dir, file))) return dir
    if (dir === dirname(dir)) return undefined
  }
}

/**
 * Settings of the project in `dir`: command line over process environment over `.env` over boathouse.yml over defaults.
 * @throws Failure PROJECT_NOT_FOUND without a boathouse.yml or a text instead; Failures CONFIG_INVALID with every mistake
 */
export function loadConfig({
  dir: given,
  env = process.env,
  overrides = [],
  machine = realMachine(),
  instead,
}: Options): Config {
  const dir = resolve(given)
  const yaml = readYaml(dir, instead)
  const dotenv = readDotenv(dir, { isOurs: instead === undefined })
  const mistakes = [...yaml.mistakes, ...dotenv.mistakes, ...unknownVariables(env, dotenv.entries)]
  const found = findAll({ env, overrides, yaml: yaml.entries, dotenv: dotenv.entries })
  // A file that could not be read has not left anything out.
  const values = parseAll(
    found,
    { dir, machine, complete: yaml.entries.size > 0 || yaml.mistakes.length === 0 },
    mistakes,
  )
  const stateDir = resolve(dir, values.stateDir ?? '.boathouse')
  mistakes.push(
    ...checkState(values, stateDir, machine),
    ...checkCatalog(values),
    ...checkJwt(values),
    ...checkPg(values),
  )
  const environment = chooseEnvironment(values, found.environment, dir, mistakes)
  if (mistakes.length > 0) throw new Failures(mistakes)
  const merged = mergedEnv(env, dotenv.entries)
  return assemble({ values: values as Required<Values>, dir, stateDir, environment, env: merged, machine })
}

// ---- where a value comes from

type Found = {
  value: unknown
  says: string
  by: 'command' | 'env' | 'dotenv' | 'yaml'
  place?: Place
  at?: (path: PropertyKey[]) => Place
}
type Sources = {
  env: Record<string, string | undefined>
  overrides: readonly Override[]
  yaml: Map<string, Found>
  dotenv: Map<string, DotenvEntry>
}

function findAll(sources: Sources): { [Name in SettingName]?: Found } {
  const found: { [Name in SettingName]?: Found } = {}
  for (const name of Object.keys(settings) as SettingName[]) {
    const one = find(name, sources)
    if (one) found[name] = one
  }
  return found
}

function find(name: SettingName, { env, overrides, yaml, dotenv }: Sources): Found | undefined {
  const setting: Setting = settings[name] as Setting
  const override = overrides.findLast((one) => one.setting === name)
  if (override) return { value: override.value, says: override.from, by: 'command' }
  if (setting.env) {
    // An empty variable is one that is not set: compose files pass `X=${X:-}` for what they leave open.
    if (env[setting.env]) return { value: env[setting.env], says: setting.env, by: 'env' }
    const entry = dotenv.get(setting.env)
    if (entry?.value) {
      const place = { file: '.env', line: entry.line, column: entry.column }
      return { value: entry.value, says: setting.env, by: 'dotenv', place }
    }
  }
  return setting.key ? yaml.get(setting.key) : undefined
}

function parseAll(
  found: { [Name in SettingName]?: Found },
  place: { dir: string; machine: Machine; complete: boolean },
  mistakes: Failure[],
): Values {
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting][]) {
    const one = found[name]
    if (one) values[name] = parseOne(setting, one, mistakes)
    else if (setting.required) mistakes.push(...(place.complete ? [missing(setting)] : []))
    else values[name] = setting.fallback?.value(place)
  }
  return values as Values
}

function parseOne(setting: Setting, found: Found, mistakes: Failure[]): unknown {
  const parsed = setting.schema().safeParse(found.value)
  if (parsed.success) return parsed.data
  const structured = typeof found.value === 'object' && found.value !== null
  if (!structured) {
    mistakes.push(
      invalid(`${found.says} is ${shown(found.value, setting)}; expected ${setting.says}`, setting, found.place),
    )
    return undefined
  }
  for (const issue of parsed.error.issues) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : []
    const path = [...issue.path, ...keys.slice(0, 1)]
    const message =
      issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : lowerFirst(issue.message)
    mistakes.push(
      invalid(`${[found.says, ...issue.path].join('.')}: ${message}`, setting, found.at?.(path) ?? found.place),
    )
  }
  return undefined
}

const lowerFirst = (text: string) => text.slice(0, 1).toLowerCase() + text.slice(1)

function shown(value: unknown, setting: Setting): string {
  if (setting.secret) return typeof value === 'string' ? maskUrl(value) : 'hidden'
  return value === null ? 'empty' : JSON.stringify(value)
}

const invalid = (message: string, setting: Setting, place?: Place) =>
  new Failure('CONFIG_INVALID', `${message}, for example ${exampleLine(setting)}`, place ? { place } : {})

const exampleLine = ({ key, env, example }: Setting) => (key ? `${key}: ${example}` : `${env}=${example}`)

const missing = (setting: Setting) =>
  new Failure(
    'CONFIG_INVALID',
    `${setting.key} is missing; expected ${setting.says}, for example ${exampleLine(setting)}`,
    {
      place: { file: 'boathouse.yml', line: 1, column: 1 },
    },
  )

// ---- the files

function readYaml(dir: string, instead?: string): { entries: Map<string, Found>; mistakes: Failure[] } {
  const file = 'boathouse.yml'
  const text = readIfThere(join(dir, file)) ?? instead
  if (text === undefined) throw new Failure('PROJECT_NOT_FOUND', `${dir} has no ${file}`)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }
  const mistakes: Failure[] = document.errors.map(
    (error) => new Failure('CONFIG_INVALID', error.message, { place: placeAt(error.pos[0]) }),
  )
  const entries = new Map<string, Found>()
  if (mistakes.length > 0) return { entries, mistakes }
  if (isMap(document.contents)) readMap(document.contents, [])
  else if (document.contents)
    mistakes.push(
      new Failure('CONFIG_INVALID', 'must be a map of settings, for example name: sales', { place: placeAt(0) }),
    )
  return { entries, mistakes }

  function readMap(map: YAMLMap, above: string[]): void {
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const path = [...above, String(isScalar(pair.key) ? pair.key.value : pair.key)]
      const key = path.join('.')
      const place = placeAt(pair.key.range?.[0] ?? 0)
      if (byKey.has(key)) entries.set(key, entryOf(pair, key, path))
      else if (!sections.has(key)) mistakes.push(unknownKey(key, place))
      else if (isMap(pair.value)) readMap(pair.value, path)
      else if (!isScalar(pair.value) || pair.value.value !== null)
        mistakes.push(
          new Failure('CONFIG_INVALID', `${key} must hold settings: ${keysUnder(key).join(', ')}`, { place }),
        )
    }
  }

  function entryOf(pair: Pair<Node, Node | null>, key: string, path: string[]): Found {
    const offset = pair.value?.range?.[0] ?? pair.key.range?.[0] ?? 0
    const value = pair.value?.toJS(document) as unknown
    return {
      value,
      says: key,
      by: 'yaml',
      place: placeAt(offset),
      at: (inner) => placeAt(offsetIn(document, path, inner) ?? offset),
    }
  }
}

/** Where the deepest part of `inner` that exists stands in the text. */
function offsetIn(document: Document, path: string[], inner: PropertyKey[]): number | undefined {
  for (let depth = inner.length; depth > 0; depth--) {
    const parent = document.getIn([...path, ...inner.slice(0, depth - 1)], true)
    const last = inner[depth - 1]
    if (isMap(parent)) {
      const pair = (parent.items as Pair<Node, Node | null>[]).find(
        ({ key }) => isScalar(key) && String(key.value) === last,
      )
      if (pair) return pair.key.range?.[0]
    }
    const node = document.getIn([...path, ...inner.slice(0, depth)], true) as Node | undefined
    if (node?.range) return node.range[0]
  }
  return undefined
}

const byKey = new Set(Object.values(settings).flatMap(({ key }) => (key ? [key] : [])))
/** `limits` and `limits.per_principal` of `limits.per_principal.queries`. */
const sections = new Set([...byKey].flatMap((key) => [...key.matchAll(/\./g)].map(({ index }) => key.slice(0, index))))
const keysUnder = (section: string) => [...byKey].filter((key) => key.startsWith(`${section}.`))

/** People write secrets where other settings are, or forget the section; both deserve better than "unknown". */
function unknownKey(key: string, place: Place): Failure {
  const variable = Object.values(settings).find(
    ({ key: known, env }) => !known && env && sounds(key) === sounds(env),
  )?.env
  const hidden = variable ?? ({ database: 'DATABASE_URL', redis: 'REDIS_URL' } as Record<string, string>)[key]
  if (hidden)
    return new Failure(
      'CONFIG_INVALID',
      `${key} holds a secret and is set by the variable ${hidden}, for example in .env`,
      { place },
    )
  const last = key.split('.').at(-1)!
  const elsewhere = [...byKey].find((known) => known.endsWith(`.${last}`))
  const hint = elsewhere ? `; did you mean "${elsewhere}"?` : didYouMean(key, [...byKey, ...sections], 0)
  return new Failure('CONFIG_INVALID', `there is no setting ${key}${hint}`, { place })
}

const sounds = (name: string) =>
  name
    .toLowerCase()
    .replace(/^boathouse_/, '')
    .replace(/[._]/g, '')

/** Where the folder is of another tool, `.env` is too: found at it or above, and what is no line of ours is none. */
function readDotenv(dir: string, { isOurs: own }: { isOurs: boolean }): ReturnType<typeof parseDotenv> {
  for (let folder = dir; ; folder = dirname(folder)) {
    const text = readIfThere(join(folder, '.env'))
    if (own || text !== undefined || folder === dirname(folder)) {
      const found = parseDotenv(text ?? '', '.env')
      return own ? found : { ...found, mistakes: [] }
    }
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // A folder of the name `.env` is somebody's Python.
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new Failure('CONFIG_INVALID', `${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

const prefix = 'BOATHOUSE_'
const isOurs = (name: string) => name.startsWith(prefix)

function unknownVariables(env: Record<string, string | undefined>, dotenv: Map<string, DotenvEntry>): Failure[] {
  const known = Object.values(settings).flatMap(({ env: name }) => (name ? [name] : []))
  const meant = (name: string): string => {
    const [last] = suggest(
      name.slice(prefix.length),
      known.filter(isOurs).map((one) => one.slice(prefix.length)),
    )
    return last ? `; did you mean "${prefix}${last}"?` : ''
  }
  const check = (name: string, place?: Place): Failure[] => {
    if (!isOurs(name) || known.includes(name)) return []
    return [new Failure('CONFIG_INVALID', `there is no variable ${name}${meant(name)}`, place ? { place } : {})]
  }
  return [
    ...[...dotenv].flatMap(([name, { line }]) => check(name, { file: '.env', line, column: 1 })),
    ...Object.keys(env).flatMap((name) => (dotenv.has(name) ? [] : check(name))),
  ]
}

// ---- what holds between settings

function checkState({ databaseUrl }: Values, stateDir: string, { mounts }: Machine): Failure[] {
  const type = databaseUrl ? undefined : networkFileSystem(stateDir, mounts)
  if (!type) return []
  const remedy =
    type === '9p' || type === 'drvfs'
      ? 'A Windows drive seen from WSL2 is one: move the project into the Linux file system, for example ~/sales'
      : 'Set BOATHOUSE_STATE_DIR to a folder on a local disk, for example BOATHOUSE_STATE_DIR=/var/lib/boathouse'
  const message = `the state folder ${stateDir} lies on a network file system (${type}), where SQLite can lose data. ${remedy}; or set DATABASE_URL`
  return [new Failure('CONFIG_INVALID', message)]
}

function checkCatalog({ catalogType, catalogUri }: Values): Failure[] {
  if (catalogType !== 'rest' || catalogUri !== undefined) return []
  return [
    new Failure(
      'CONFIG_INVALID',
      `catalog.type is rest and catalog.uri is missing, for example ${exampleLine(settings.catalogUri)}`,
    ),
  ]
}

/** One of them alone would be no TLS where somebody meant it. */
function checkPg({ pgTlsCert, pgTlsKey }: Values): Failure[] {
  if ((pgTlsCert === undefined) === (pgTlsKey === undefined)) return []
  const [given, missing] =
    pgTlsKey === undefined ? [settings.pgTlsCert, settings.pgTlsKey] : [settings.pgTlsKey, settings.pgTlsCert]
  return [
    new Failure(
      'CONFIG_INVALID',
      `${given.key} is set and ${missing.key} is missing, for example ${exampleLine(missing)}`,
    ),
  ]
}

function chooseEnvironment(
  values: Values,
  found: Found | undefined,
  dir: string,
  mistakes: Failure[],
): Config['environment'] {
  const environments = values.environments ?? {}
  const known = Object.keys(environments)
  const first = environments['dev'] ? 'dev' : (known[0] ?? 'dev')
  const check = (name: string, at: PropertyKey[] = []) => {
    if (!values.environments || environments[name]) return
    const place = at.length > 0 ? (found?.at?.(at) ?? found?.place) : found?.place
    const message = `${found?.says ?? 'environment'} names ${JSON.stringify(name)}${didYouMean(name, known, 0)}; expected one of ${known.join(', ')}`
    mistakes.push(new Failure('CONFIG_INVALID', message, place ? { place } : {}))
  }
  const catalogs = new Map<string, string>()
  for (const [name, { catalog }] of Object.entries(environments)) {
    const other = catalogs.get(catalog)
    if (other)
      mistakes.push(
        new Failure('CONFIG_INVALID', `environments.${name} and environments.${other} share the catalog ${catalog}`),
      )
    catalogs.set(catalog, name)
  }
  const choice = values.environment
  if (!found || choice === undefined) return { name: first, chosenBy: 'default' }
  if (typeof choice === 'string') {
    check(choice)
    return { name: choice, chosenBy: found.by === 'yaml' ? 'boathouse.yml' : 'BOATHOUSE_ENV' }
  }
  for (const [branch, name] of Object.entries(choice.by_branch)) check(name, ['by_branch', branch])
  const name = environmentOfBranch(choice.by_branch, gitBranch(dir))
  return name === undefined ? { name: first, chosenBy: 'default' } : { name, chosenBy: 'branch' }
}

/** What `Config.env` will be for a folder without a boathouse.yml: some of it must be known before its settings are. */
export const variablesOf = (dir: string): Record<string, string> =>
  mergedEnv(process.env, readDotenv(resolve(dir), { isOurs: false }).entries)

const mergedEnv = (
  env: Record<string, string | undefined>,
  dotenv: Map<string, DotenvEntry>,
): Record<string, string> => ({
  ...Object.fromEntries([...dotenv].map(([name, { value }]) => [name, value])),
  ...Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
})

/** Where Boathouse itself writes, as absolute paths. */
export const ownFolders = ({ stateDir, storage }: Pick<Config, 'stateDir' | 'storage'>): string[] =>
  [stateDir, storage.root, storage.cacheDir].filter(isAbsolute)

type Parts = {
  values: { [Name in SettingName]: Values[Name] }
  dir: string
  stateDir: string
  environment: Config['environment']
  env: Record<string, string>
  machine: Machine
}

function assemble({ values, dir, stateDir, environment, env, machine }: Parts): Config {
  const get = <Name extends SettingName>(name: Name) => values[name] as NonNullable<Values[Name]>
  const memory = get('memory')
  const secret = [
    values.databaseUrl,
    values.redisUrl,
    values.adminPassword,
    values.catalogCredential,
    values.catalogCredential?.replace(/^[^:]*:/, ''),
    values.catalogToken,
  ].filter((value) => value !== undefined)
  const named = Object.entries(env).flatMap(([name, value]) => (isSecretName(name) ? [value] : []))
  return {
    name: get('name'),
    dir,
    environments: get('environments'),
    environment,
    stateDir,
    storage: {
      root: rootOf(values.storageRoot, dir) ?? join(stateDir, 'lake'),
      endpoint: values.storageEndpoint ?? (env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || undefined),
      region: values.storageRegion ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || undefined),
      pathStyle: values.storagePathStyle,
      conditionalWrites: get('storageConditionalWrites'),
      cacheDir: values.storageCacheDir ? resolve(dir, values.storageCacheDir) : join(stateDir, 'cache'),
      cacheBytes: get('storageCacheBytes'),
    },
    records: { url: values.databaseUrl, schema: get('databaseSchema') },
    redis: { url: values.redisUrl },
    http: { host: get('httpHost'), port: get('httpPort'), publicUrl: values.publicUrl?.replace(/\/+$/, '') },
    pg: {
      enabled: get('pgEnabled'),
      host: get('pgHost'),
      port: values.pgPort,
      tls:
        values.pgTlsCert !== undefined && values.pgTlsKey !== undefined
          ? { certFile: resolve(dir, values.pgTlsCert), keyFile: resolve(dir, values.pgTlsKey) }
          : undefined,
      plaintext: get('pgPlaintext'),
      auth: get('pgAuth'),
      connectionsMax: get('pgConnections'),
    },
    catalog: {
      trustClients: get('catalogTrustClients'),
      protectedWrites: get('catalogProtectedWrites'),
      warehouses: get('catalogWarehouses'),
      locations: get('catalogLocations'),
      external: externalCatalog(values),
    },
    results: { cacheBytes: get('resultsCacheBytes'), diskBytes: get('resultsDiskBytes') },
    copyDirectories: get('copyDirectories').map((folder) => resolve(dir, folder)),
    admin: { password: values.adminPassword },
    jwt: jwtOf(values, dir),
    limits: {
      memoryBytes: 'bytes' in memory ? memory.bytes : Math.floor(memory.share * machine.memoryBytes),
      threads: get('threads'),
      queryTimeoutMs: get('queryTimeoutMs'),
      queryRows: get('queryRows'),
      perPrincipal: {
        queries: get('principalQueries'),
        waiting: get('principalWaiting'),
        resultBytes: get('principalResultBytes'),
      },
      uploadBytes: get('uploadBytes'),
      tempBytes: get('tempBytes'),
    },
    engine: { slots: { interactive: get('interactiveSlots'), heavy: get('heavySlots'), write: get('writeSlots') } },
    log: {
      level: get('logLevel'),
      format: get('logFormat'),
      retentionMs: get('logRetentionMs'),
      auditRetentionMs: get('auditRetentionMs'),
    },
    timezone: get('timezone'),
    worker: { concurrency: get('workerConcurrency') },
    dbt: { publish: get('dbtPublish') },
    schedules: { enabled: get('schedulesEnabled') },
    doctor: get('doctor'),
    env,
    secrets: secretsIn([...secret, ...named]),
  }
}

/** A bucket stays what it is; folders are relative to the project. */
function rootOf(root: string | undefined, dir: string): string | undefined {
  if (root === undefined) return undefined
  return root.startsWith('s3:') ? root.replace(/\/+$/, '') : resolve(dir, root)
}

/** `jwks` and `publicKey`: an address or the path of a file. */
export type Jwt = {
  issuer: string
  audience: string
  jwks: string | undefined
  publicKey: string | undefined
  name: string
  roles: string
  groups: string
  attributes: string[]
}

function jwtOf(values: Values, dir: string): Jwt | undefined {
  const { jwtIssuer: issuer, jwtAudience: audience, jwtJwks: jwks, jwtPublicKey: publicKey } = values
  if (issuer === undefined || audience === undefined) return undefined
  return {
    issuer,
    audience,
    jwks: jwks === undefined || jwks.includes('://') ? jwks : resolve(dir, jwks),
    publicKey: publicKey && resolve(dir, publicKey),
    name: values.jwtName!,
    roles: values.jwtRoles!,
    groups: values.jwtGroups!,
    attributes: values.jwtAttributes!,
  }
}

function checkJwt({ jwtIssuer, jwtAudience, jwtJwks, jwtPublicKey }: Values): Failure[] {
  if ([jwtIssuer, jwtAudience, jwtJwks, jwtPublicKey].every((value) => value === undefined)) return []
  const isComplete =
    jwtIssuer !== undefined && jwtAudience !== undefined && (jwtJwks === undefined) !== (jwtPublicKey === undefined)
  const isSafe =
    jwtJwks === undefined ||
    !jwtJwks.startsWith('http:') ||
    /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(jwtJwks)
  return [
    ...(isComplete
      ? []
      : [new Failure('CONFIG_INVALID', 'auth.jwt needs issuer, audience and either jwks or public_key, all three')]),
    ...(isSafe ? [] : [new Failure('CONFIG_INVALID', 'auth.jwt.jwks is http; keys are fetched by https only')]),
  ]
}

function externalCatalog(values: Values): ExternalCatalog | undefined {
  if (values.catalogType !== 'rest') return undefined
  return {
    uri: values.catalogUri!.replace(/\/+$/, ''),
    warehouse: values.catalogWarehouse,
    environmentAs: values.catalogEnvironmentAs!,
    credential: values.catalogCredential,
    token: values.catalogToken,
    scope: values.catalogScope!,
    audience: values.catalogAudience,
    oauthUri: values.catalogOauthUri,
    headers: values.catalogHeaders ?? {},
    vendedCredentials: values.catalogVendedCredentials!,
    sigv4Service: values.catalogSigv4Service,
  }
}
