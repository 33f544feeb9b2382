// A folder → a dbt project: every file read once, every node with its config, its names and what it reads.
//
// Order: project files of the project and its packages, macros, docs, YAML properties, then nodes. A node's config
// needs its YAML, its schema needs its config and a macro, its tests need it; so the steps cannot be swapped. Mistakes
// do not stop the reading: what is independent is reported together.

import { Failure } from '../../base/failure.ts'
import { byPlace } from '../yaml.ts'
import { checkNodes } from './checks.ts'
import { checkSemantics } from './semantic-checks.ts'
import { behaviourFlag } from './config.ts'
import { describeAll, readDocs } from './describe.ts'
import { readEntries } from './entries.ts'
import type { ProjectFiles } from './files.ts'
import { readGenericTests } from './generic-tests.ts'
import { checkArguments } from './macro-arguments.ts'
import { checkDispatches } from './macro-calls.ts'
import { checkCatalogs } from './catalogs.ts'
import { builtins, macrosOf, MacroTable } from './macros.ts'
import { Nodes } from './nodes.ts'
import { addNotices } from './notices.ts'
import { readOperations } from './operations.ts'
import { readPackages } from './packages.ts'
import { openParseCache, ParseCache, saveParseCache } from './parse-cache.ts'
import { addPlainNames } from './plain-names.ts'
import { ProjectSearch } from './project-search.ts'
import { readProperties } from './properties.ts'
import { QuietMacros } from './quiet-macros.ts'
import { Reading } from './reading.ts'
import { Resolver } from './resolve.ts'
import { readSelectors } from './selectors.ts'
import { readSources } from './sources.ts'
import type { DbtMacro, DbtPackage, DbtProject, ProjectOptions } from './types.ts'
import { readUnitTests } from './unit-tests.ts'
import { templatedVars } from './vars.ts'

/** The project, as far as it could be read, and everything that is wrong with it. */
export async function readDbtProject(
  files: ProjectFiles,
  dir: string,
  options: ProjectOptions,
): Promise<{ project: DbtProject; failures: Failure[] }> {
  const { cache } = options
  const known = cache && !cache.isFresh ? await openParseCache(cache.file) : new ParseCache()
  const reading = new Reading(new ProjectSearch(files), emptyProject(dir, options), known)
  const { project, failures } = reading
  if (await readPackages(reading)) await readRest(reading)
  if (cache) await saveParseCache(cache.file, known)
  return { project, failures: failures.sort(byPlace) }
}

async function readRest(reading: Reading): Promise<void> {
  const { project, packages, files } = reading
  files.hasJinjaEndings = behaviourFlag(project, 'allow_jinja_file_extensions') === true
  for (const one of packages) await readMacros(reading, one)
  builtins(reading.cache)
  reading.macros = new MacroTable(project)
  checkDispatches(reading)
  reading.quiet = new QuietMacros(reading.macros, templatedVars(project.options, packages))
  for (const one of packages) await readDocs(reading, one)
  for (const one of packages) await readYaml(reading, one)
  const nodes = new Nodes(reading)
  for (const one of packages) await nodes.read(one)
  nodes.describeStrays()
  readSources(reading, nodes)
  readGenericTests(reading, nodes)
  for (const one of packages) await nodes.readSingularTests(one)
  readEntries(reading)
  await readOperations(reading)
  const resolver = new Resolver(reading)
  resolver.nodes()
  resolver.entries()
  await readUnitTests(reading)
  describeAll(reading)
  checkNodes(reading)
  checkSemantics(reading)
  addNotices(reading)
  addPlainNames(project)
  await readSelectorsFile(reading)
  await checkCatalogs(reading)
  for (const patch of reading.unusedPatches) {
    if (patch.section === 'macros' || isDisabled(project, patch.name)) continue
    reading.warn(
      `Did not find matching node for patch with name '${patch.name}' in the '${patch.section}' section of file '${patch.file}'`,
      patch.place,
      { name: 'NoNodeForYamlKey', code: 'I058' },
    )
  }
}

const isDisabled = ({ disabled }: DbtProject, name: string): boolean =>
  [...disabled.keys()].some((id) => id.split('.').includes(name))

const emptyProject = (dir: string, options: ProjectOptions): DbtProject => ({
  dir,
  name: '',
  target: options.target,
  packages: new Map(),
  nodes: new Map(),
  sources: new Map(),
  disabled: new Map(),
  macros: [],
  docs: new Map(),
  unitTests: new Map(),
  operations: new Map(),
  groups: new Map(),
  exposures: new Map(),
  metrics: new Map(),
  semanticModels: new Map(),
  savedQueries: new Map(),
  selectors: new Map(),
  warnings: [],
  options,
})

async function readMacros(reading: Reading, from: DbtPackage): Promise<void> {
  const { files, project, failures } = reading
  const folders = [...from.paths.macro, ...from.paths.test.map((folder) => `${folder}/generic`)]
  const seen = new Map<string, DbtMacro>()
  for (const { file } of await files.find(from, folders, /\.sql$/i)) {
    const found = macrosOf(from.name, await files.text(file), file, reading.cache)
    failures.push(...found.failures)
    for (const macro of found.macros) {
      const other = seen.get(macro.macroName)
      if (other) {
        const place = { file, line: macro.origin.line ?? 1, column: macro.origin.column ?? 1 }
        const { file: elsewhere, line } = other.origin
        reading.wrong(
          `dbt found multiple macros named "${macro.macroName}" in the project: here and in ${elsewhere ?? ''}:${line ?? 1}`,
          place,
        )
      } else seen.set(macro.macroName, macro)
      project.macros.push(macro)
    }
  }
}

async function readYaml(reading: Reading, from: DbtPackage): Promise<void> {
  const isChecked = reading.root.flags['validate_macro_args'] !== false
  const { model, seed, snapshot, analysis, macro, test, function: functions } = from.paths
  const folders = [...model, ...seed, ...snapshot, ...analysis, ...macro, ...test, ...functions]
  for (const { file } of await reading.files.find(from, folders, /\.ya?ml$/i)) {
    const found = readProperties(file, await reading.files.text(file), reading.globals(from), reading.cache)
    reading.failures.push(...found.failures)
    reading.project.warnings.push(...found.warnings)
    reading.properties.push({ from, found })
    for (const patch of found.patches) {
      reading.addPatch(from, patch)
      if (patch.section !== 'macros') continue
      const described = reading.macros.in(from.name, patch.name)
      if (!described) {
        reading.warn(`no macro "${patch.name}" exists for these properties`, patch.place, {
          name: 'MacroNotFoundForPatch',
          code: 'I059',
        })
        continue
      }
      const { config, description, place } = patch
      const record = (key: string) => (config[key] ?? {}) as Record<string, unknown>
      described.description = description
      if (isChecked) checkArguments(reading, described, patch)
      described.properties = { arguments: patch.arguments, meta: record('meta'), docs: record('docs'), file, place }
    }
  }
}

async function readSelectorsFile(reading: Reading): Promise<void> {
  const text = await reading.files.read('selectors.yml')
  if (text === undefined) return
  reading.project.selectors = readSelectors('selectors.yml', text, reading.globals(reading.root), reading.failures)
}
