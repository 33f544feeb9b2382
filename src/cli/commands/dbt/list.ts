// ls: what the flags select, one a line, for people and for the next command of a pipe.

import { fromJs, toJson } from '../../../jinja/index.ts'
import { manifestOf, versionedName, type DbtProject } from '../../../project/dbt/index.ts'
import { manifestEntries, membersOf, type Member } from '../../../transform/index.ts'
import { Failure } from '../../../base/failure.ts'
import { writeManifest } from './manifest-file.ts'
import { sayFound } from './found.ts'
import { openPlace, openProject, type Session } from './open.ts'
import { chosenBy, kindsLeft } from './selection.ts'
import { warnOrFail } from './warnings.ts'

const usual = [
  'model',
  'function',
  'snapshot',
  'seed',
  'test',
  'source',
  'exposure',
  'metric',
  'saved_query',
  'semantic_model',
  'unit_test',
]
const every = [...usual, 'analysis']

export async function list(session: Session): Promise<number> {
  const { flags, log } = session
  const output = flags.is('json') ? 'json' : (flags.text('output') ?? 'selector')
  const print = printers[output]
  if (!print)
    throw new Failure('USAGE', `--output of ls is one of ${Object.keys(printers).join(', ')}, found "${output}"`)
  const models = flags.words('models')
  for (const other of ['select', 'resource-type'])
    if (models.length > 0 && flags.given(other))
      throw new Failure('USAGE', `--models and --${other} are mutually exclusive: --models lists nothing but models`)
  const place = await openPlace(session)
  const project = await openProject(session, place)
  if (!flags.is('json')) sayFound(log, project)
  const types = models.length > 0 ? new Set(['model']) : kindsLeft(session, every, usual)
  const { byId } = membersOf(project)
  const chosen = chosenBy(session, project)
    .ids.map((id) => byId.get(id)!)
    .filter(({ type }) => types.has(type))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  if (chosen.length === 0) warnOrFail(session, 'No nodes selected!', 'NoNodesSelected', 'Q038')
  const shown = print(project, flags.words('output-keys'))
  for (const member of chosen)
    log.answer(shown(member), { name: 'PrintEvent', code: 'Z052', data: { msg: shown(member) } })
  await writeManifest(session, project)
  return 0
}

type Printer = (project: DbtProject, keys: readonly string[]) => (member: Member) => string

const printers: Readonly<Record<string, Printer>> = {
  selector: () => selectorOf,
  name:
    () =>
    ({ node, name, source }) =>
      source ? `${source.source}.${name}` : node ? versionedName(node) : name,
  path:
    () =>
    ({ file }) =>
      file,
  json: (project, keys) => {
    const entries = manifestEntries(manifestOf(project, { generatedAt: Date.now() }))
    return ({ id, type }) => {
      const written = entries.get(id) ?? {}
      // Of models dbt says here, and not in the manifest, what they read.
      const entry = type === 'model' ? { ...written, direct_parents: project.nodes.get(id)?.dependsOn } : written
      const wanted = keys.length > 0 ? keys : usualKeys.filter((key) => Object.hasOwn(entry, key))
      return toJson(fromJs(Object.fromEntries(wanted.flatMap((key) => valueAt(entry, key)))))
    }
  },
}

function selectorOf({ type, package: name, name: own, fqn, source }: Member): string {
  if (source) return `source:${name}.${source.source}.${source.name}`
  return ['exposure', 'metric', 'saved_query', 'semantic_model', 'unit_test'].includes(type)
    ? `${type}:${name}.${own}`
    : fqn.join('.')
}

const usualKeys = [
  'alias',
  'name',
  'source_name',
  'resource_type',
  'depends_on',
  'unique_id',
  'package_name',
  'original_file_path',
  'tags',
  'config',
  'direct_parents',
]

type Json = Record<string, unknown>
/** `config.materialized` is a value below; what is not there is left out. */
function valueAt(entry: Json, key: string): [string, unknown][] {
  if (!key.includes('.')) return Object.hasOwn(entry, key) ? [[key, entry[key]]] : []
  const value = key
    .split('.')
    .reduce<unknown>(
      (found, part) =>
        typeof found === 'object' && found !== null && Object.hasOwn(found, part) ? (found as Json)[part] : undefined,
      entry,
    )
  return value === undefined || value === null ? [] : [[key, value]]
}
