// catalogs.yml: the catalogs that a model may name as its `catalog_name`.
//
// Tables are Iceberg's here, and lie in the catalog of the environment: what the file says of a platform's own catalogs, volumes
// and credentials changes nothing. So it is read for its mistakes, which are dbt's, and for models whose tables would be others.

import { z } from 'zod'
import { Failure } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import { parseYaml, type Located, type Path } from '../yaml.ts'
import { behaviourFlag } from './config.ts'
import type { Reading } from './reading.ts'
import { isTable } from './references.ts'
import type { DbtNode } from './types.ts'
import { profileGlobals } from './vars.ts'
import { gathering, renderYaml } from './yaml-file.ts'

const file = 'catalogs.yml'
const text = z.string().nullish()

const Catalog = z.strictObject({
  name: z.string(),
  active_write_integration: text,
  write_integrations: z
    .array(
      z.strictObject({
        name: z.string(),
        catalog_type: z.string(),
        external_volume: text,
        table_format: text,
        catalog_name: text,
        file_format: text,
        catalog_database: text,
        adapter_properties: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .default([]),
})
const Catalogs = z.looseObject({ catalogs: z.array(Catalog).default([]) })

/** By the flag `use_catalogs_v2`. */
const NewerCatalogs = z.strictObject({
  catalogs: z
    .array(
      z.strictObject({
        name: z.string().trim().min(1),
        type: z.string(),
        table_format: z.string(),
        config: z.record(z.string(), z.record(z.string(), z.unknown()).nullable()),
      }),
    )
    .default([]),
})

type Known = { name: string; format: string }

export async function checkCatalogs(reading: Reading): Promise<void> {
  const { files, project, failures } = reading
  const written = await files.read(file)
  const known = written === undefined ? [] : gathering(failures, () => readCatalogs(reading, written))
  if (!known) return
  for (const node of project.nodes.values())
    if (isTable(node)) gathering(failures, () => checkCatalogOf(reading, node, known))
}

function readCatalogs(reading: Reading, written: string): Known[] {
  const { options } = reading.project
  if (written.trim() === '')
    throw new Failure('PROJECT_INVALID', `The file ${file} is empty`, { place: { file, line: 1, column: 1 } })
  const globals = profileGlobals(options.env, options.vars)
  const rendered = <Value>({ value, at }: Located<Value>): Value =>
    renderYaml(value, at, globals, () => false, reading.failures) as Value
  const wrong = (at: Located<unknown>['at'], path: Path, message: string): never => {
    throw new Failure('PROJECT_INVALID', message, { place: at(path) })
  }
  const found: Known[] = []
  if (behaviourFlag(reading.project, 'use_catalogs_v2') === true) {
    const located = parseYaml(file, written, NewerCatalogs, { version: '1.1' })
    for (const [at, { name, table_format: format }] of rendered(located).catalogs.entries()) {
      if (found.some((each) => each.name === name))
        wrong(located.at, ['catalogs', at, 'name'], `Duplicate catalog name '${name}' in ${file}`)
      if (!isIceberg(format))
        wrong(
          located.at,
          ['catalogs', at, 'table_format'],
          `Invalid table_format '${format}'. Must be one of ['default', 'iceberg']`,
        )
      found.push({ name, format })
    }
    return found
  }
  const located = parseYaml(file, written, Catalogs, { version: '1.1' })
  for (const [at, { name, active_write_integration: active, write_integrations: all }] of rendered(
    located,
  ).catalogs.entries()) {
    const names = all.map((each) => each.name)
    const path = ['catalogs', at]
    const twice = names.findIndex((each, index) => names.indexOf(each) < index)
    if (twice >= 0)
      wrong(
        located.at,
        [...path, 'write_integrations', twice, 'name'],
        `Catalog '${name}' cannot have multiple 'write_integrations' with the same name: '${names[twice]}'.`,
      )
    if (!active && names.length !== 1)
      wrong(
        located.at,
        path,
        names.length === 0
          ? `Catalog '${name}' has no 'write_integrations'`
          : `Catalog '${name}' must specify an 'active_write_integration' when multiple 'write_integrations' are provided.`,
      )
    const chosen = active ? all.find((each) => each.name === active) : all[0]
    if (chosen) found.push({ name, format: chosen.table_format ?? 'default' })
    else
      wrong(
        located.at,
        [...path, 'active_write_integration'],
        `Catalog '${name}' must specify an 'active_write_integration' from its set of defined 'write_integrations': ${names.join(', ')}. Got: '${active}'${didYouMean(active ?? '', names)}`,
      )
  }
  return found
}

/** `default` is what a platform makes without saying more. */
const isIceberg = (format: string): boolean => ['default', 'iceberg'].includes(format.toLowerCase())

/** The adapters of other databases have catalogs of their own besides, so there a name that stands nowhere may be one of those. */
function checkCatalogOf({ project }: Reading, { kind, name, config, place }: DbtNode, known: readonly Known[]): void {
  const asked = config['catalog_name'] ?? config['catalog']
  if (typeof asked !== 'string' || asked === '') return
  const found = known.find((each) => each.name === asked)
  const who = `${kind} "${name}"`
  if (!found && project.target.type === 'duckdb')
    throw new Failure(
      'MODEL_INVALID',
      `${who} goes to the catalog "${asked}", which ${file} does not have${didYouMean(
        asked,
        known.map((each) => each.name),
      )}`,
      { place },
    )
  if (found && !isIceberg(found.format))
    throw new Failure(
      'MODEL_INVALID',
      `${who} goes to the catalog "${asked}", whose tables have the format "${found.format}"; here all tables are Iceberg's`,
      { place, hint: `Give the catalog the table_format iceberg in ${file}, or leave the config catalog_name out.` },
    )
}
