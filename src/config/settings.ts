// Every setting of Boathouse, once: its line in boathouse.yml, its variable, its type, default and example. The
// loader, the reference page and the editor's JSON schema all read this table.

import { resolve } from 'node:path'
import { z } from 'zod'
import { parseBytes, parseDurationMs } from '../base/units.ts'
import type { Machine } from './machine.ts'

/**
 * `says` ends the sentence "expected …". The schema takes the text of a variable and the value of a YAML line alike; it is
 * made when there is a value, as to make all of them would take a third of a short command's time.
 */
type Kind<Value> = { says: string; schema: () => z.ZodType<Value> }

type Place = { dir: string; machine: Machine }

export type Setting<Value = unknown> = Kind<Value> & {
  /** Dotted path in boathouse.yml; null for secrets, which may only be variables. */
  key: string | null
  /** The variable; null for what is too large for one. */
  env: string | null
  about: string
  example: string
  secret?: true
  required?: true
  /** `text` is what the reference page prints. A missing default leaves the setting undefined. */
  fallback?: { text: string; value: (place: Place) => Value | undefined }
}

const text = (says: string, pattern: RegExp): Kind<string> => ({ says, schema: () => z.string().regex(pattern) })
const whole = (min: number, max: number, unit = ''): Kind<number> => ({
  says: `a whole number from ${min} to ${max}${unit}`,
  schema: () =>
    z
      .union([z.int().min(min).max(max), z.string().regex(/^\d+$/)])
      .transform(Number)
      .refine((value) => value >= min && value <= max),
})
const flag: Kind<boolean> = {
  says: 'true or false',
  schema: () =>
    z
      .union([z.boolean(), z.enum(['true', 'false', 'on', 'off', 'yes', 'no', '1', '0'])])
      .transform((value) => value === true || ['true', 'on', 'yes', '1'].includes(String(value))),
}
const choice = <const Word extends string>(words: readonly Word[]): Kind<Word> => ({
  says: `one of ${words.join(', ')}`,
  schema: () => z.enum(words) as unknown as z.ZodType<Word>,
})
const duration: Kind<number> = {
  says: 'a duration in ms, s, min, h or d',
  schema: () => z.string().transform((value, context) => parseDurationMs(value) || refuse(context)),
}
const size: Kind<number> = {
  says: 'a size in KB, MB, GB, TB (or KiB, MiB, GiB, TiB)',
  schema: () => z.string().transform((value, context) => parseBytes(value) || refuse(context)),
}
const url = (says: string, protocols: string[]): Kind<string> => ({
  says,
  schema: () => z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol)),
})
const refuse = (context: z.RefinementCtx): never => {
  context.addIssue('not understood')
  return z.NEVER
}
const folder: Kind<string> = {
  says: 'a local folder, absolute or relative to boathouse.yml',
  schema: () => z.string().regex(/^(?![a-z][a-z0-9+]+:\/\/).+$/i),
}
const file = (says: string): Kind<string> => ({ says, schema: folder.schema })
const texts = (says: string, pattern: RegExp): Kind<string[]> => ({
  says,
  schema: () => z.array(z.string().regex(pattern)),
})
const headers: Kind<Record<string, string>> = {
  says: 'headers as Name=value, with semicolons between them',
  schema: () =>
    z
      .string()
      .regex(/^[\w-]+=[!-:<-~]+(; *[\w-]+=[!-:<-~]+)*$/)
      .transform((value) => Object.fromEntries(value.split(/; */).map((one) => /^([^=]+)=(.*)$/.exec(one)!.slice(1)))),
}
const folderOrBucket: Kind<string> = {
  says: 'a local folder, absolute or relative to boathouse.yml, or s3://bucket/folder',
  schema: () => z.union([folder.schema(), z.string().regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^?#]*)?$/)]),
}
const timezone: Kind<string> = {
  says: 'a time zone of the IANA list',
  schema: () =>
    z.string().refine((zone) => {
      try {
        return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
      } catch {
        return false
      }
    }),
}

const identifier = () => z.string().regex(/^[a-z_][a-z0-9_]*$/, 'must be lower-case letters, digits and _')
export type EnvironmentEntry = { catalog: string; protected: boolean }

const environments: Kind<Record<string, EnvironmentEntry>> = {
  says: 'a map of short names to catalogs',
  schema: () =>
    z
      .record(
        identifier(),
        z.union([identifier(), z.strictObject({ catalog: identifier(), protected: z.boolean().optional() })], {
          error: 'must be a catalog name or {catalog, protected}',
        }),
      )
      .refine((value) => Object.keys(value).length > 0, 'must name at least one environment')
      .transform((value) =>
        Object.fromEntries(
          Object.entries(value).map(([name, entry]) => {
            const { catalog, protected: isProtected } =
              typeof entry === 'string' ? { catalog: entry } : { protected: undefined, ...entry }
            return [name, { catalog, protected: isProtected ?? name === 'prod' }]
          }),
        ),
      ),
}

export type EnvironmentChoice = string | { by_branch: Record<string, string> }
const environment: Kind<EnvironmentChoice> = {
  says: 'the name of an environment, or by_branch with a map of branch to environment',
  schema: () =>
    z.union([z.string().min(1), z.strictObject({ by_branch: z.record(z.string(), z.string()) })], {
      error: 'must be the name of an environment, or by_branch with a map of branch to environment',
    }),
}

const expectation = () =>
  z.strictObject({
    name: z.string().min(1).describe('What holds when all is well; printed by doctor.'),
    sql: z.string().min(1).describe('One SELECT that returns one value.'),
    expect: z
      .strictObject({
        equals: z.union([z.number(), z.string(), z.boolean()]).optional(),
        at_least: z.number().optional(),
        at_most: z.number().optional(),
      })
      .refine((value) => Object.keys(value).length > 0, 'must have equals, at_least or at_most'),
  })
export type Expectation = z.infer<ReturnType<typeof expectation>>

/** A share is of the memory of the machine, which the table does not know. */
export type Memory = { bytes: number } | { share: number }

const setting = <Value>(one: Setting<Value>): Setting<Value> => one
const fixed = <Value>(value: Value, text = String(value)) => ({ text, value: () => value })
const minute = 60_000
const day = 24 * 60 * minute

export const settings = {
  name: setting({
    key: 'name',
    env: null,
    ...text('lower-case letters, digits, - and _', /^[a-z][a-z0-9_-]*$/),
    required: true,
    about: 'The name of the project.',
    example: 'sales',
  }),
  environments: setting({
    key: 'environments',
    env: null,
    ...environments,
    about:
      'Environments by short name, each with its catalog. A protected one (prod, unless told otherwise) is written only when `--env` or `BOATHOUSE_ENV` names it.',
    example: '{dev: dev_analytics, prod: {catalog: prod_analytics, protected: true}}',
    fallback: {
      text: 'dev, staging and prod on dev_analytics, staging_analytics and prod_analytics',
      value: () => ({
        dev: { catalog: 'dev_analytics', protected: false },
        staging: { catalog: 'staging_analytics', protected: false },
        prod: { catalog: 'prod_analytics', protected: true },
      }),
    },
  }),
  environment: setting({
    key: 'environment',
    env: 'BOATHOUSE_ENV',
    ...environment,
    about:
      'The environment that commands work in. In boathouse.yml it may depend on the git branch: `{by_branch: {main: prod, "*": dev}}`. `--env` goes before it.',
    example: 'dev',
    fallback: fixed<EnvironmentChoice>('dev', 'dev, or the first one named'),
  }),
  stateDir: setting({
    key: 'state_dir',
    env: 'BOATHOUSE_STATE_DIR',
    ...folder,
    about:
      'Where Boathouse keeps its own files: records, caches, logs, process ids. Must lie on a local disk unless DATABASE_URL is set.',
    example: '/var/lib/boathouse',
    fallback: { text: '.boathouse', value: ({ dir }) => resolve(dir, '.boathouse') },
  }),
  storageRoot: setting({
    key: 'storage.root',
    env: 'BOATHOUSE_STORAGE_ROOT',
    ...folderOrBucket,
    about:
      'Where the tables lie. Keys of a store come from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or from the machine or pod.',
    example: 's3://lake/analytics',
    fallback: { text: 'lake in the state folder', value: () => undefined },
  }),
  storageEndpoint: setting({
    key: 'storage.endpoint',
    env: 'BOATHOUSE_STORAGE_ENDPOINT',
    ...url('an http or https address', ['http:', 'https:']),
    about: 'The address of an S3-compatible store. `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL` count too.',
    example: 'https://minio.example.com:9000',
    fallback: { text: "Amazon's of the region", value: () => undefined },
  }),
  storageRegion: setting({
    key: 'storage.region',
    env: 'BOATHOUSE_STORAGE_REGION',
    ...text('the name of a region', /^[a-z0-9-]+$/),
    about: 'The region of the bucket. `AWS_REGION` and `AWS_DEFAULT_REGION` count too.',
    example: 'eu-central-1',
    fallback: { text: 'us-east-1; a store that names another is believed', value: () => undefined },
  }),
  storagePathStyle: setting({
    key: 'storage.path_style',
    env: 'BOATHOUSE_STORAGE_PATH_STYLE',
    ...flag,
    about: 'Whether the bucket stands in the path (`endpoint/bucket/key`) or in the name of the host.',
    example: 'false',
    fallback: { text: 'true with an endpoint, else false', value: () => undefined },
  }),
  storageConditionalWrites: setting({
    key: 'storage.conditional_writes',
    env: 'BOATHOUSE_STORAGE_CONDITIONAL_WRITES',
    ...choice(['auto', 'on', 'off']),
    about: 'Whether the store honours `If-None-Match: *`. auto finds out with the first object that it creates.',
    example: 'on',
    fallback: fixed<'auto' | 'on' | 'off'>('auto'),
  }),
  storageCacheDir: setting({
    key: 'storage.cache_dir',
    env: 'BOATHOUSE_STORAGE_CACHE_DIR',
    ...folder,
    about:
      'Where copies of the files of a store are kept for reading; on a local disk. Unused while tables lie on the local disk.',
    example: '/var/cache/boathouse',
    fallback: { text: 'cache in the state folder', value: () => undefined },
  }),
  storageCacheBytes: setting({
    key: 'storage.cache_size',
    env: 'BOATHOUSE_STORAGE_CACHE_SIZE',
    ...size,
    about: 'Most disk that these copies take. What one query reads must fit.',
    example: '50GB',
    fallback: fixed(20 * 2 ** 30, '20GiB'),
  }),
  databaseUrl: setting({
    key: null,
    env: 'DATABASE_URL',
    ...url('a PostgreSQL address', ['postgres:', 'postgresql:']),
    secret: true,
    about: "PostgreSQL for Boathouse's own records. Without it they are two SQLite files in the state folder.",
    example: 'postgres://boathouse:secret@localhost:5432/boathouse',
  }),
  databaseSchema: setting({
    key: 'records.schema',
    env: 'BOATHOUSE_RECORDS_SCHEMA',
    ...text('lower-case letters, digits and _', /^[a-z_][a-z0-9_]{0,62}$/),
    about: 'The PostgreSQL schema of the records.',
    example: 'boathouse',
    fallback: fixed('boathouse'),
  }),
  redisUrl: setting({
    key: null,
    env: 'REDIS_URL',
    ...url('a Redis address', ['redis:', 'rediss:']),
    secret: true,
    about: 'Redis, which wakes workers and carries live events between processes. Without it both poll the records.',
    example: 'redis://:secret@localhost:6379/0',
  }),
  httpHost: setting({
    key: 'http.host',
    env: 'BOATHOUSE_HTTP_HOST',
    ...text('an address to listen on', /^[0-9a-zA-Z.:_-]+$/),
    about: 'The address the server listens on. Only this machine by default; 0.0.0.0 is every network.',
    example: '127.0.0.1',
    fallback: fixed('127.0.0.1'),
  }),
  httpPort: setting({
    key: 'http.port',
    env: 'BOATHOUSE_HTTP_PORT',
    ...whole(0, 65535, ' (0 takes any free port)'),
    about: 'The port of the app and the API.',
    example: '8620',
    fallback: fixed(8620),
  }),
  pgHost: setting({
    key: 'pg.host',
    env: 'BOATHOUSE_PG_HOST',
    ...text('an address to listen on', /^[0-9a-zA-Z.:_-]+$/),
    about:
      'The address that SQL clients reach the PostgreSQL endpoint at. Another than this machine needs TLS or `pg.plaintext`.',
    example: '0.0.0.0',
    fallback: fixed('127.0.0.1'),
  }),
  pgPort: setting({
    key: 'pg.port',
    env: 'BOATHOUSE_PG_PORT',
    ...whole(0, 65535, ' (0 takes any free port)'),
    about: 'The port of the PostgreSQL endpoint.',
    example: '5440',
    fallback: { text: '5439; while somebody else holds that, no SQL clients are served', value: () => undefined },
  }),
  pgEnabled: setting({
    key: 'pg.enabled',
    env: 'BOATHOUSE_PG_ENABLED',
    ...flag,
    about: 'Whether SQL clients are served.',
    example: 'false',
    fallback: fixed(true),
  }),
  pgTlsCert: setting({
    key: 'pg.tls_cert',
    env: 'BOATHOUSE_PG_TLS_CERT',
    ...file('a file with certificates in PEM, the server first'),
    about: 'The certificate of the PostgreSQL endpoint.',
    example: '/etc/boathouse/server.crt',
  }),
  pgTlsKey: setting({
    key: 'pg.tls_key',
    env: 'BOATHOUSE_PG_TLS_KEY',
    ...file('a file with a private key in PEM'),
    about: 'The key of that certificate.',
    example: '/etc/boathouse/server.key',
  }),
  pgPlaintext: setting({
    key: 'pg.plaintext',
    env: 'BOATHOUSE_PG_PLAINTEXT',
    ...flag,
    about: 'Whether clients of other machines may come without TLS. Only where the network itself is trusted.',
    example: 'true',
    fallback: fixed(false),
  }),
  pgAuth: setting({
    key: 'pg.auth',
    env: 'BOATHOUSE_PG_AUTH',
    ...choice(['scram', 'password']),
    about:
      'How SQL clients log in: `scram` never sends the secret; `password` sends it, over TLS or from this machine only, for clients that know nothing else.',
    example: 'password',
    fallback: fixed<'scram' | 'password'>('scram'),
  }),
  pgConnections: setting({
    key: 'pg.connections',
    env: 'BOATHOUSE_PG_CONNECTIONS',
    ...whole(1, 10_000),
    about: 'Most connections of SQL clients at a time.',
    example: '50',
    fallback: fixed(100),
  }),
  publicUrl: setting({
    key: 'public_url',
    env: 'BOATHOUSE_PUBLIC_URL',
    ...url('an http or https address', ['http:', 'https:']),
    about: 'The address people reach the app under, for links in messages.',
    example: 'https://data.example.com',
  }),
  catalogType: setting({
    key: 'catalog.type',
    env: 'BOATHOUSE_CATALOG_TYPE',
    ...choice(['embedded', 'rest']),
    about:
      'Who keeps the names of tables: Boathouse in its own records, or a server of somebody else that speaks the Iceberg REST protocol (Polaris, Lakekeeper, Nessie, Unity).',
    example: 'rest',
    fallback: fixed<'embedded' | 'rest'>('embedded'),
  }),
  catalogUri: setting({
    key: 'catalog.uri',
    env: 'BOATHOUSE_CATALOG_URI',
    ...url('an http or https address', ['http:', 'https:']),
    about: 'The address of that server, without `/v1`.',
    example: 'https://polaris.example.com/api/catalog',
  }),
  catalogWarehouse: setting({
    key: 'catalog.warehouse',
    env: 'BOATHOUSE_CATALOG_WAREHOUSE',
    ...text('the name of a warehouse', /^\S+$/),
    about: 'The warehouse there (Polaris: the catalog). `{catalog}` in it stands for the catalog of the environment.',
    example: 'analytics',
    fallback: {
      text: "the environment's catalog where environments are warehouses, else the server's default",
      value: () => undefined,
    },
  }),
  catalogEnvironmentAs: setting({
    key: 'catalog.environment_as',
    env: 'BOATHOUSE_CATALOG_ENVIRONMENT_AS',
    ...choice(['warehouse', 'namespace']),
    about:
      'Whether each environment is a warehouse of that server, or all are namespaces of the first level in one warehouse.',
    example: 'namespace',
    fallback: fixed<'warehouse' | 'namespace'>('warehouse'),
  }),
  catalogCredential: setting({
    key: null,
    env: 'BOATHOUSE_CATALOG_CREDENTIAL',
    ...text('client id:secret', /^[^]+$/),
    secret: true,
    about: 'OAuth2 client credentials for that server, changed for tokens.',
    example: 'boathouse:s3cr3t-of-the-client',
  }),
  catalogToken: setting({
    key: null,
    env: 'BOATHOUSE_CATALOG_TOKEN',
    ...text('a bearer token', /^[!-~]+$/),
    secret: true,
    about: 'A token that is sent to that server as it is, instead of a credential.',
    example: 'eyJhbGciOi',
  }),
  catalogScope: setting({
    key: 'catalog.scope',
    env: 'BOATHOUSE_CATALOG_SCOPE',
    ...text('an OAuth2 scope', /^[!-~ ]+$/),
    about: 'The scope that tokens are asked for.',
    example: 'PRINCIPAL_ROLE:ALL',
    fallback: fixed('catalog'),
  }),
  catalogAudience: setting({
    key: 'catalog.audience',
    env: 'BOATHOUSE_CATALOG_AUDIENCE',
    ...text('an OAuth2 audience', /^[!-~]+$/),
    about: 'The audience that tokens are asked for, where the identity provider wants one.',
    example: 'lakekeeper',
  }),
  catalogOauthUri: setting({
    key: 'catalog.oauth_uri',
    env: 'BOATHOUSE_CATALOG_OAUTH_URI',
    ...url('an http or https address', ['http:', 'https:']),
    about: 'Where tokens are given.',
    example: 'https://login.example.com/realms/data/protocol/openid-connect/token',
    fallback: { text: '`/v1/oauth/tokens` of the server', value: () => undefined },
  }),
  catalogHeaders: setting({
    key: 'catalog.headers',
    env: 'BOATHOUSE_CATALOG_HEADERS',
    ...headers,
    about:
      'Headers that go with every request to that server, also those for tokens that it gives itself. Not for secrets.',
    example: 'Polaris-Realm=analytics',
  }),
  catalogVendedCredentials: setting({
    key: 'catalog.vended_credentials',
    env: 'BOATHOUSE_CATALOG_VENDED_CREDENTIALS',
    ...flag,
    about:
      'Whether that server is asked for keys to the storage of each table. Tables for which it gives none are read with `AWS_…`.',
    example: 'false',
    fallback: fixed(true),
  }),
  catalogSigv4Service: setting({
    key: 'catalog.sigv4_service',
    env: 'BOATHOUSE_CATALOG_SIGV4_SERVICE',
    ...text('the name of an AWS service', /^[a-z0-9-]+$/),
    about:
      'Sign requests to that server with AWS keys instead, as AWS Glue (`glue`) and S3 Tables (`s3tables`) want it.',
    example: 'glue',
  }),
  jwtIssuer: setting({
    key: 'auth.jwt.issuer',
    env: 'BOATHOUSE_AUTH_JWT_ISSUER',
    ...text('the issuer exactly as its tokens say it', /^\S+$/),
    about:
      'Takes JSON Web Tokens of this issuer wherever an API token is taken. `auth.jwt.audience` and either `auth.jwt.jwks` or `auth.jwt.public_key` go with it.',
    example: 'https://login.example.com',
  }),
  jwtAudience: setting({
    key: 'auth.jwt.audience',
    env: 'BOATHOUSE_AUTH_JWT_AUDIENCE',
    ...text('the audience that tokens for Boathouse are issued for', /^\S+$/),
    about: 'Tokens for others are refused.',
    example: 'boathouse',
  }),
  jwtJwks: setting({
    key: 'auth.jwt.jwks',
    env: 'BOATHOUSE_AUTH_JWT_JWKS',
    ...text('an https address, or the path of a JSON file', /^\S.*$/),
    about: 'Where the keys of the issuer are.',
    example: 'https://login.example.com/.well-known/jwks.json',
  }),
  jwtPublicKey: setting({
    key: 'auth.jwt.public_key',
    env: 'BOATHOUSE_AUTH_JWT_PUBLIC_KEY',
    ...text('the path of a PEM file', /^\S.*$/),
    about: 'The one key of an issuer without a set of keys.',
    example: 'keys/issuer.pem',
  }),
  jwtName: setting({
    key: 'auth.jwt.name_claim',
    env: null,
    ...text('the name of a claim', /^\S+$/),
    about:
      'What somebody is called in the audit, and `current_user` in row filters: a claim that people cannot choose themselves.',
    example: 'email',
    fallback: fixed('sub'),
  }),
  jwtRoles: setting({
    key: 'auth.jwt.roles_claim',
    env: null,
    ...text('the name of a claim', /^\S+$/),
    about: 'Whose values are roles, as access.yml names them.',
    example: 'roles',
    fallback: fixed('roles'),
  }),
  jwtGroups: setting({
    key: 'auth.jwt.groups_claim',
    env: null,
    ...text('the name of a claim', /^\S+$/),
    about: 'Whose values are groups, to which access.yml gives roles.',
    example: 'groups',
    fallback: fixed('groups'),
  }),
  jwtAttributes: setting({
    key: 'auth.jwt.attribute_claims',
    env: null,
    ...texts('a list of names of claims', /^\S+$/),
    about: 'Claims that row filters and masks read as attributes.',
    example: '[region, department]',
    fallback: fixed<string[]>([], 'none'),
  }),
  catalogTrustClients: setting({
    key: 'catalog.trust_clients',
    env: 'BOATHOUSE_CATALOG_TRUST_CLIENTS',
    ...flag,
    about:
      'Whether other machines may use the Iceberg REST catalog (`/iceberg`) while tables lie on the local disk: its clients write files themselves, so they must share that disk.',
    example: 'true',
    fallback: fixed(false),
  }),
  catalogProtectedWrites: setting({
    key: 'catalog.protected_writes',
    env: 'BOATHOUSE_CATALOG_PROTECTED_WRITES',
    ...flag,
    about: 'Whether clients of the Iceberg REST catalog may change protected environments.',
    example: 'true',
    fallback: fixed(false),
  }),
  catalogWarehouses: setting({
    key: 'catalog.warehouses',
    env: null,
    ...texts('a list of names of lower-case letters, digits and _', /^[a-z_][a-z0-9_]*$/),
    about:
      'More warehouses of the Iceberg REST catalog, beside the environments. Their namespaces may have several levels.',
    example: '[scratch]',
    fallback: fixed<string[]>([], 'none'),
  }),
  catalogLocations: setting({
    key: 'catalog.locations',
    env: null,
    ...texts('a list of places such as file:///data or s3://bucket/folder', /^([a-z][a-z0-9+]*:)?\/.*$/),
    about: 'Where tables may lie, and their files be written and deleted, beside the root of the lake.',
    example: '[file:///data/shared]',
    fallback: fixed<string[]>([], 'none'),
  }),
  copyDirectories: setting({
    key: 'copy.directories',
    env: null,
    ...texts('a list of folders', /^[^\0]+$/),
    about:
      'Folders that COPY may write files to and read them from, for those who may make sources. Relative to the project.',
    example: '[exports]',
    fallback: fixed<string[]>([], 'none'),
  }),
  adminPassword: setting({
    key: null,
    env: 'BOATHOUSE_ADMIN_PASSWORD',
    ...text('at least 10 characters', /^[^]{10,}$/),
    secret: true,
    about: 'Password of the administrator made at the first start. Without it a one-time log-in link is printed.',
    example: 'correct-horse-battery',
  }),
  memory: setting<Memory>({
    key: 'limits.memory',
    env: 'BOATHOUSE_LIMITS_MEMORY',
    says: 'a size such as 4GB (at least 256MiB), or a share of the memory such as 60%',
    schema: () =>
      z.string().transform((value, context) => {
        const share = /^([1-9]\d?|100)%$/.exec(value)
        if (share) return { share: Number(share[1]) / 100 }
        const bytes = parseBytes(value)
        return bytes !== undefined && bytes >= 256 * 2 ** 20 ? { bytes } : refuse(context)
      }),
    about: 'Memory of all engine processes together. A share counts of the RAM or of the container limit.',
    example: '4GB',
    fallback: fixed<Memory>({ share: 0.6 }, '60%'),
  }),
  threads: setting({
    key: 'limits.threads',
    env: 'BOATHOUSE_LIMITS_THREADS',
    ...whole(1, 1024),
    about: 'Threads of each engine process.',
    example: '4',
    fallback: { text: 'the cores of the machine', value: ({ machine }) => machine.threads },
  }),
  queryTimeoutMs: setting({
    key: 'limits.query_timeout',
    env: 'BOATHOUSE_LIMITS_QUERY_TIMEOUT',
    ...duration,
    about:
      'Longest time of one query of a person or a dashboard; while it waits for whoever reads its rows it takes none. Statements of runs, and of dbt commands, have no limit.',
    example: '60s',
    fallback: fixed(minute, '60s'),
  }),
  queryRows: setting({
    key: 'limits.query_rows',
    env: 'BOATHOUSE_LIMITS_QUERY_ROWS',
    ...whole(1, 100_000_000),
    about:
      'Most rows that one query of a person returns, to SQL clients and commands; of an answer over HTTP 100000 are the most.',
    example: '100000',
    fallback: fixed(100_000_000),
  }),
  uploadBytes: setting({
    key: 'limits.upload_bytes',
    env: 'BOATHOUSE_LIMITS_UPLOAD_BYTES',
    ...size,
    about: 'Largest file that can be dropped on the app.',
    example: '1GB',
    fallback: fixed(2 ** 30, '1GiB'),
  }),
  tempBytes: setting({
    key: 'limits.temp_bytes',
    env: 'BOATHOUSE_LIMITS_TEMP_BYTES',
    ...size,
    about:
      'Most disk that queries larger than the memory may spill to, for each class of engine process, and never more than nine tenths of what was free when that started.',
    example: '50GB',
    fallback: fixed(20 * 2 ** 30, '20GiB'),
  }),
  resultsCacheBytes: setting({
    key: 'results.cache_bytes',
    env: 'BOATHOUSE_RESULTS_CACHE_BYTES',
    ...size,
    about: 'Memory of each process for results that are given again while nothing they read has changed.',
    example: '64MiB',
    fallback: fixed(128 * 2 ** 20, '128MiB'),
  }),
  resultsDiskBytes: setting({
    key: 'results.disk_bytes',
    env: 'BOATHOUSE_RESULTS_DISK_BYTES',
    ...size,
    about: 'Disk for such results, so that they outlive the process. They lie in `results` below the state folder.',
    example: '10GB',
    fallback: fixed(2 ** 30, '1GiB'),
  }),
  principalQueries: setting({
    key: 'limits.per_principal.queries',
    env: 'BOATHOUSE_LIMITS_PER_PRINCIPAL_QUERIES',
    ...whole(1, 1_000),
    about: 'Queries of one person or token that run at the same time in a process; the next ones wait.',
    example: '8',
    fallback: fixed(16),
  }),
  principalWaiting: setting({
    key: 'limits.per_principal.waiting',
    env: 'BOATHOUSE_LIMITS_PER_PRINCIPAL_WAITING',
    ...whole(0, 10_000),
    about: 'Queries of one person or token that wait; one more is refused with RATE_LIMITED.',
    example: '20',
    fallback: fixed(100),
  }),
  principalResultBytes: setting({
    key: 'limits.per_principal.result_bytes',
    env: 'BOATHOUSE_LIMITS_PER_PRINCIPAL_RESULT_BYTES',
    ...size,
    about: 'Largest result of one query of a person or token, as it is encoded.',
    example: '256MiB',
    fallback: fixed(4 * 2 ** 30, '4GiB'),
  }),
  interactiveSlots: setting({
    key: 'engine.interactive_slots',
    env: 'BOATHOUSE_ENGINE_INTERACTIVE_SLOTS',
    ...whole(1, 64),
    about: 'Queries of dashboards and small questions that run at the same time.',
    example: '4',
    fallback: fixed(4),
  }),
  heavySlots: setting({
    key: 'engine.heavy_slots',
    env: 'BOATHOUSE_ENGINE_HEAVY_SLOTS',
    ...whole(1, 64),
    about: 'Long queries of people that run at the same time.',
    example: '2',
    fallback: fixed(2),
  }),
  writeSlots: setting({
    key: 'engine.write_slots',
    env: 'BOATHOUSE_ENGINE_WRITE_SLOTS',
    ...whole(1, 64),
    about: 'Loads and builds that run at the same time.',
    example: '2',
    fallback: fixed(2),
  }),
  logLevel: setting({
    key: 'log.level',
    env: 'BOATHOUSE_LOG_LEVEL',
    ...choice(['debug', 'info', 'warn', 'error', 'silent']),
    about: 'The least serious line that is written.',
    example: 'info',
    fallback: fixed<'debug' | 'info' | 'warn' | 'error' | 'silent'>('info'),
  }),
  logFormat: setting({
    key: 'log.format',
    env: 'BOATHOUSE_LOG_FORMAT',
    ...choice(['auto', 'pretty', 'json']),
    about: 'auto is pretty on a terminal and JSON everywhere else.',
    example: 'json',
    fallback: fixed<'auto' | 'pretty' | 'json'>('auto'),
  }),
  logRetentionMs: setting({
    key: 'log.retention',
    env: 'BOATHOUSE_LOG_RETENTION',
    ...duration,
    about: 'How long the logs of runs and the query log are kept.',
    example: '30d',
    fallback: fixed(30 * day, '30d'),
  }),
  auditRetentionMs: setting({
    key: 'log.audit_retention',
    env: 'BOATHOUSE_LOG_AUDIT_RETENTION',
    ...duration,
    about: 'How long the audit log is kept.',
    example: '365d',
    fallback: fixed(365 * day, '365d'),
  }),
  timezone: setting({
    key: 'timezone',
    env: 'BOATHOUSE_TIMEZONE',
    ...timezone,
    about: "The time zone of SQL sessions and of schedules that name none; never the machine's.",
    example: 'Europe/Berlin',
    fallback: fixed('UTC'),
  }),
  workerConcurrency: setting({
    key: 'worker.concurrency',
    env: 'BOATHOUSE_WORKER_CONCURRENCY',
    ...whole(1, 64),
    about: 'Steps of one run that a worker executes at the same time.',
    example: '2',
    fallback: fixed(2),
  }),
  dbtPublish: setting({
    key: 'dbt.publish',
    env: 'BOATHOUSE_DBT_PUBLISH',
    ...choice(['passed-only', 'always']),
    about:
      'When `boathouse dbt` shows readers what it built: when all passed, or in any case. `--publish` goes before it.',
    example: 'always',
    fallback: fixed<'passed-only' | 'always'>('passed-only'),
  }),
  schedulesEnabled: setting({
    key: 'schedules.enabled',
    env: 'BOATHOUSE_SCHEDULES_ENABLED',
    ...flag,
    about: 'Whether workers start runs by schedules.yml.',
    example: 'false',
    fallback: fixed(true),
  }),
  doctor: setting({
    key: 'doctor',
    env: null,
    says: 'a list of {name, sql, expect}',
    schema: () => z.array(expectation()),
    about:
      'What must hold in the data: `boathouse doctor` runs each SELECT and compares its one value with `equals`, `at_least` or `at_most`.',
    example: '[{name: five regions, sql: select count(distinct region) from raw.sales, expect: {equals: 5}}]',
    fallback: fixed<Expectation[]>([], 'none'),
  }),
}

export type SettingName = keyof typeof settings
type ValueOf<One> = One extends Setting<infer Value> ? Value : never
export type Values = { [Name in SettingName]: ValueOf<(typeof settings)[Name]> | undefined }
