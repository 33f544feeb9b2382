// `boathouse dbt …`: dbt's command line. `alias dbt='boathouse dbt'` keeps scripts working: the same verbs, flags,
// exit codes (0 done, 1 something of the project failed, 2 anything else) and lines.

import { asFailure, formatFailure } from '../../../base/failure.ts'
import { Failure } from '../../../base/failure.ts'
import { didYouMean } from '../../../base/suggest.ts'
import { variablesOf } from '../../../config/index.ts'
import type { Command, Context } from '../../command.ts'
import { ownVersion } from '../../version.ts'
import { flagTable } from './flag-table.ts'
import { checkTogether, checkVerb, DbtFlags, readVariables, splitLine, type Value } from './flags.ts'
import { dbtPage, verbPage } from './help.ts'
import { openSession, type Session } from './open.ts'
import { takeProfileFlags, tellVariables } from './surroundings.ts'
import { verbs, type Verb } from './verbs.ts'
import { dbtVersion, deprecations } from '../../../project/dbt/index.ts'
import { deprecate, tellDeprecations } from './warnings.ts'

/** The flags of a verb, or of all. */
export const flagsOf = (verb?: string): string[] =>
  Object.entries(flagTable)
    .filter(([, { ignored, verbs: some }]) => !ignored && (verb === undefined || !some || some.includes(verb)))
    .map(([name]) => `--${name}`)

export const dbt: Command = {
  name: 'dbt',
  summary: "dbt's whole command line on the lake: run, build, test, seed, ls, docs …",
  arguments: 'VERB',
  takesLine: true,
  help: dbtPage,
  completes: [...Object.keys(verbs), ...flagsOf()],
  examples: ["alias dbt='boathouse dbt'", 'boathouse dbt build --select +orders', 'boathouse dbt run --help'],
  run: (context) => runLine(context, context.args),
}

export async function runLine(context: Context, argv: readonly string[]): Promise<number> {
  const { words, given } = splitLine(argv)
  if (given.has('version')) {
    context.out.line(await versionText())
    return 0
  }
  const [name, rest] = verbOf(words)
  if (given.has('help') || name === undefined) {
    context.out.line(name === undefined ? dbtPage() : verbPage(name))
    return name === undefined && !given.has('help') ? 2 : 0
  }
  const isOld = given.has('models')
  if (name !== 'ls') takeModels(given)
  checkVerb(name, given)
  checkTogether(given)
  const verb = verbs[name]!
  if (verb.refused) throw new Failure('UNSUPPORTED', verb.refused, { hint: verb.hint ?? '' })
  if (rest.length > 0 && !verb.takesWord)
    throw new Failure('USAGE', `dbt ${name} takes no argument, found "${rest[0]}"`, {
      hint: 'Names of models go after --select.',
    })
  // As dbt reads it: `.env` of the working folder, or of one above it, stands behind the shell's own variables.
  const variables = { ...variablesOf(context.dir), ...context.env }
  const flags = new DbtFlags(given, readVariables(variables))
  if (verb.begin) return verb.begin(context, rest, flags)
  if (verb.queries) await context.startEngine()
  const typed = `dbt ${argv.join(' ')}`
  const session = openSession(name, rest, flags, context, typed)
  try {
    return await perform(verb, session, { isOld, variables })
  } finally {
    session.log.close()
  }
}

/** `--models` is an old name of `--select`; `ls` alone has both. */
function takeModels(given: Map<string, Value>): void {
  const models = given.get('models')
  if (!Array.isArray(models)) return
  given.delete('models')
  const select = given.get('select')
  given.set('select', [...(Array.isArray(select) ? select : []), ...models])
}

async function perform(
  verb: Verb,
  session: Session,
  { isOld, variables }: { isOld: boolean; variables: Readonly<Record<string, string | undefined>> },
): Promise<number> {
  const { log, context } = session
  try {
    if (!verb.isSilent)
      log.info(`Running with dbt=${dbtVersion} (boathouse ${ownVersion()})`, {
        name: 'MainReportVersion',
        code: 'A001',
      })
    await takeProfileFlags(session, variables)
    tellVariables(session, variables)
    if (isOld) deprecate(session, deprecations.models())
    const code = await verb.run(session)
    tellDeprecations(session)
    return code
  } catch (error) {
    const failure = asFailure(error)
    const where = failure.place?.file === '--inline' ? 'Error parsing inline query\n' : ''
    log.error(`Encountered an error:\n${where}${formatFailure(failure)}`, {
      name: 'MainEncounteredError',
      code: 'Z002',
      data: { exc: failure.message, code: failure.code },
    })
    if (failure.code === 'INTERNAL' && failure.cause instanceof Error) context.out.note(failure.cause.stack ?? '')
    return 2
  }
}

/** The verb, in one or two words, and what stands after it. */
function verbOf(words: readonly string[]): [string | undefined, string[]] {
  const [first, second = ''] = words
  if (first === undefined) return [undefined, []]
  const two = aliases[`${first} ${second}`] ?? `${first} ${second}`
  if (verbs[two]) return [two, words.slice(2)]
  const one = aliases[first] ?? first
  if (verbs[one]) return [one, words.slice(1)]
  const group = Object.keys(verbs).filter((name) => name.startsWith(`${first} `))
  if (group.length > 0)
    throw new Failure(
      'USAGE',
      `dbt ${first} needs one of: ${group.map((name) => name.slice(first.length + 1)).join(', ')}`,
    )
  throw new Failure('USAGE', `dbt has no command "${first}"${didYouMean(first, Object.keys(verbs), 0)}`, {
    hint: '`boathouse dbt --help` lists the commands.',
  })
}

const aliases: Readonly<Record<string, string>> = {
  list: 'ls',
  'source snapshot-freshness': 'source freshness',
}

async function versionText(): Promise<string> {
  return [
    'Core:',
    `  - installed: ${dbtVersion}`,
    '',
    'Plugins:',
    '  - duckdb: 1.11.1',
    '',
    `This is boathouse ${ownVersion()}, which runs dbt projects on the lake.`,
  ].join('\n')
}
