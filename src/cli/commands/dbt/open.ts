// A dbt command's project: which folder, which environment and target, which names; then the project itself.
//
// A folder that has only dbt_project.yml works as it is: settings are the defaults, state goes to .boathouse/ in it, and
// the target says which environment is written (dev → dev, test → staging, prod → prod, any other under its own name).

import { isRecord } from '../../../base/record.ts'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { Failure, Failures } from '../../../base/failure.ts'
import {
  findProjectDir,
  isEnvironment,
  loadConfig,
  resolveEnvironment,
  variablesOf,
  type Config,
  type Environment,
} from '../../../config/index.ts'
import {
  deprecations,
  diskFiles,
  parseCacheFile,
  readDbtProject,
  readProfile,
  renderSetting,
  type DbtProject,
  type Profile,
  type Target,
} from '../../../project/dbt/index.ts'
import { checkHandling, customEnv, graphOf, sampleOf } from '../../../transform/index.ts'
import type { App } from '../../app.ts'
import {
  dbtFolderOf,
  dbtFolderText,
  environmentOfTarget,
  rememberEnvironment,
  targetOfEnvironment,
  writtenProject,
} from '../../dbt-folder.ts'
import type { Context } from '../../command.ts'
import type { DbtFlags } from './flags.ts'
import { DbtLog, logFileIn, type DbtLogOptions } from './log.ts'
import { withBothNames } from './surroundings.ts'
import { deprecate, isDeprecation, warnOrFail } from './warnings.ts'

/** What every verb works with. */
export type Session = {
  /** The command that is done; `retry` becomes the one that it repeats. */
  verb: string
  flags: DbtFlags
  /** What stands after the verb and is no flag. */
  words: string[]
  /** The line as it was typed. */
  typed: string
  /** The folder of dbt_project.yml. */
  dir: string
  /** dbt_project.yml as it is written, not rendered; for what is needed before the project can be read. */
  written: Readonly<Record<string, unknown>>
  /** Absolute. */
  targetDir: string
  log: DbtLog
  invocationId: string
  startedAt: number
  context: Context
  /** How often each old spelling was met, by dbt's name of it. */
  deprecations: Map<string, number>
}

export type Place = { config: Config; environment: Environment; target: Target; profile: Profile | undefined }

/** The folder, the flags of the project file, the log. @throws Failure PROJECT_NOT_FOUND */
export function openSession(verb: string, words: string[], flags: DbtFlags, context: Context, typed: string): Session {
  const dir = projectFolder(context, flags)
  const written = writtenProject(dir)
  const fromProject = written['flags']
  if (isRecord(fromProject)) flags.readProject(fromProject)
  const invocationId = randomUUID()
  const rendered = (text: string) =>
    /\{[{%#]/.test(text) ? renderSetting(text, variablesOf(dir), flags.mapping('vars')) : text
  const folder = (flag: string, key: string, fallback: string) =>
    resolve(dir, flags.text(flag) ?? (typeof written[key] === 'string' ? rendered(written[key]) : fallback))
  const logFolder = folder('log-path', 'log-path', 'logs')
  const log = new DbtLog({ ...logOptions(flags, invocationId, logFolder), extra: customEnv(context.env) })
  const targetDir = folder('target-path', 'target-path', 'target')
  const deprecations = new Map<string, number>()
  const startedAt = Date.now()
  return { verb, flags, words, typed, dir, written, targetDir, log, invocationId, startedAt, context, deprecations }
}

function projectFolder(context: Context, flags: DbtFlags): string {
  const given = flags.text('project') ?? flags.text('project-dir')
  const start = resolve(context.dir, given ?? '.')
  const found =
    given === undefined ? dbtFolderOf(start) : existsSync(join(start, 'dbt_project.yml')) ? start : undefined
  if (found !== undefined) return found
  throw new Failure(
    'PROJECT_NOT_FOUND',
    `there is no dbt_project.yml in ${start}${given === undefined ? ' or above it' : ''}`,
    {
      hint: 'Go to the folder of a dbt project, or name it with --project-dir DIR.',
    },
  )
}

function logOptions(flags: DbtFlags, invocationId: string, logPath: string): Omit<DbtLogOptions, 'extra'> {
  const format = (name: string) => {
    const text = flags.text(name) ?? 'default'
    return text === 'json' || text === 'debug' ? text : 'text'
  }
  const debug = flags.is('debug')
  const fileFormat = format('log-format-file')
  return {
    format: flags.is('json') ? 'json' : format('log-format'),
    fileFormat:
      flags.get('log-format-file') === undefined && format('log-format') === 'json'
        ? 'json'
        : fileFormat === 'text'
          ? 'debug'
          : fileFormat,
    level: debug ? 'debug' : ((flags.text('log-level') ?? 'info') as DbtLogOptions['level']),
    fileLevel: (flags.text('log-level-file') ?? 'debug') as DbtLogOptions['fileLevel'],
    quiet: flags.is('quiet'),
    color:
      process.stdout.isTTY === true &&
      flags.is('use-colors', true) &&
      flags.is('color', true) &&
      !process.env['NO_COLOR'],
    width: Math.max(20, flags.whole('printer-width') ?? 80),
    file: logFileIn(logPath),
    fileBytesMax: flags.whole('log-file-max-bytes') ?? 10 * 2 ** 20,
    invocationId,
  }
}

/** Settings alone: for what needs neither environment nor target. */
export function openSettings({ dir }: Session): Config {
  const home = findProjectDir(dir)
  return home === undefined ? loadConfig({ dir, instead: dbtFolderText(dir) }) : loadConfig({ dir: home })
}

/** Settings, environment and target. @throws Failure USAGE for a target that has no environment */
export async function openPlace(session: Session): Promise<Place> {
  const { flags, dir, context } = session
  const home = findProjectDir(dir)
  const bare = home === undefined
  const known = bare ? undefined : loadConfig({ dir: home })
  const env = known?.env ?? variablesOf(dir)
  const chosen = known?.environment
  // What boathouse.yml, a branch or BOATHOUSE_ENV says goes before the profile's own default.
  const asked =
    flags.text('env') ??
    (flags.text('target') === undefined
      ? chosen && chosen.chosenBy !== 'default'
        ? chosen.name
        : env['BOATHOUSE_ENV']
      : undefined)
  const request = {
    dir,
    profilesDir: flags.text('profiles-dir') && resolve(context.dir, flags.text('profiles-dir')!),
    profile: flags.text('profile'),
    threads: flags.whole('threads'),
    vars: flags.mapping('vars'),
    env: withBothNames(env),
    home: homedir(),
  }
  const wanted = flags.text('target') ?? (asked === undefined ? undefined : targetOfEnvironment(asked))
  const profile = await readProfile({ ...request, target: wanted }).catch((error: unknown) => {
    // An environment need not be a target of the profile; then the profile's own gives the names.
    if (flags.text('target') !== undefined || asked === undefined) throw error
    return readProfile(request)
  })
  const named = flags.text('env') ?? (flags.text('target') === undefined ? asked : undefined)
  const targetName = wanted ?? profile?.target.name
  const environmentName = named ?? (targetName === undefined ? undefined : environmentOfTarget(targetName))
  const config = known ?? loadConfig({ dir, instead: dbtFolderText(dir, environmentName) })
  const environment = environmentIn(config, environmentName, {
    isNamed: bare || flags.text('target') !== undefined || named !== undefined,
  })
  if (bare) rememberEnvironment(dir, environment.name, { isOwn: wanted === undefined && named === undefined })
  const { catalog } = environment
  const target: Target = {
    ...(profile?.target ?? {
      name: targetName ?? targetOfEnvironment(environment.name),
      database: catalog,
      type: 'duckdb',
      schema: 'main',
      profile: 'boathouse',
      threads: flags.whole('threads') ?? config.worker.concurrency,
    }),
    ...(targetName === undefined ? {} : { name: targetName }),
    catalog,
  }
  return { config, environment, target, profile }
}

function environmentIn(config: Config, name: string | undefined, { isNamed }: { isNamed: boolean }): Environment {
  if (name === undefined || (!isNamed && !isEnvironment(config, name))) return resolveEnvironment(config)
  const found = resolveEnvironment(config, { flag: name })
  return isNamed ? found : { ...found, writable: !found.protected }
}

/** dbt's name of a verb, by which artifacts and templates tell it: `generate`, `freshness`, `list`. */
export const commandOf = (verb: string): string => (verb === 'ls' ? 'list' : verb.split(' ').at(-1)!)

/** What templates see of the line, the variables and the project file. */
export const flagsOf = ({ flags, verb, typed, words }: Session): DbtProject['options']['flags'] => ({
  command: commandOf(verb),
  fullRefresh: flags.is('full-refresh'),
  storeFailures: flags.is('store-failures'),
  empty: flags.is('empty'),
  typed,
  others: { ...flags.all(), ...(verb === 'run-operation' && words[0] !== undefined && { macro: words[0] }) },
})

/** Reads the project, or throws every mistake of it. */
export async function openProject(session: Session, { config, target, profile }: Place): Promise<DbtProject> {
  const { flags, log } = session
  for (const warning of profile?.warnings ?? []) log.warn(warning)
  const options = { flags: flagsOf(session), startedAt: session.startedAt }
  sampleOf(options) // what is no window is told before anything is read
  checkHandling(flags.all())
  const handling = flags.all()['warn_error_options']
  const old = (['include', 'exclude'] as const).filter((key) => isRecord(handling) && handling[key] !== undefined)
  if (old.length > 0) deprecate(session, deprecations.oldHandling(old))
  const { project, failures } = await readDbtProject(diskFiles(session.dir), session.dir, {
    target,
    vars: flags.mapping('vars'),
    env: withBothNames(config.env),
    ...options,
    invocationId: session.invocationId,
    cache: { file: parseCacheFile(config.stateDir, session.dir), isFresh: !flags.is('partial-parse', true) },
    onLog(level, message, place) {
      const where = level === 'warn' && place?.file ? `${place.file}:${place.line ?? 1}: ` : ''
      if (level === 'warn') warnOrFail(session, `${where}${message}`, 'JinjaLogWarning', 'I061')
      else if (level === 'print') {
        if (flags.is('print', true)) log.answer(message, { name: 'PrintEvent', code: 'Z052', data: { msg: message } })
      } else log.say(level, message, { name: 'JinjaLogInfo', code: 'I062', data: { msg: message } })
    },
  })
  if (failures.length > 0) throw failures.length === 1 ? failures[0]! : new Failures(failures)
  graphOf(project)
  warnOf(session, project)
  return project
}

function warnOf(session: Session, project: DbtProject): void {
  for (const { message, place, event } of project.warnings) {
    const where = `${place.file ?? ''}${place.line === undefined ? '' : `:${place.line}`}`
    if (event && isDeprecation(event)) deprecate(session, { message, event })
    // Who looks for dbt's own warnings looks for how they begin, and for their lines.
    else if (event) warnOrFail(session, `${message} (${where})`, event.name, event.code, event.data)
    else session.log.warn(`${where}: ${message}`, { name: 'Note', code: 'I075' })
  }
}

/** A folder of artifacts: below the project, as for dbt, or where the command was given. */
export function stateFolder({ dir, context }: Pick<Session, 'dir' | 'context'>, path: string): string {
  const inProject = resolve(dir, path)
  return existsSync(inProject) ? inProject : resolve(context.dir, path)
}

/** Opens the lake for the environment. */
export const openLakeOf = ({ context }: Session, { config, environment }: Place): Promise<App> =>
  context.openWith(config, environment, { role: 'cli', quiet: true })
