// The project and the packages that lie in its `dbt_packages`.

import { isAbsolute, join, relative } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { isRecord } from '../../base/record.ts'
import { dbtVersion } from './context.ts'
import { readPackageFiles } from './package-files.ts'
import { readProjectFile, type Warn } from './project-file.ts'
import { pythonVars } from './python/yaml-values.ts'
import type { Reading } from './reading.ts'
import { versionProblem } from './require-version.ts'
import type { Config, DbtPackage, PathKind } from './types.ts'
import { varScopes } from './vars.ts'
import { yamlGlobals } from './yaml-context.ts'
import { gathering, readYamlText } from './yaml-file.ts'

/** False when there is no project to read. */
export async function readPackages(reading: Reading): Promise<boolean> {
  const { files, project, failures } = reading
  const text = await files.read('dbt_project.yml')
  if (text === undefined) {
    failures.push(new Failure('PROJECT_NOT_FOUND', `there is no dbt_project.yml in ${project.dir}`))
    return false
  }
  const root = readPackage(reading, '', text, await readVars(reading))
  if (!root) return false
  project.name = root.name
  project.packages.set(root.name, root)
  const folder = root.packagesFolder
  const isPackage = (file: string) =>
    file.endsWith('/dbt_project.yml') && !file.slice(folder.length + 1, -'/dbt_project.yml'.length).includes('/')
  const installed = (await files.list(folder)).filter(isPackage)
  for (const file of installed) {
    const found = readPackage(reading, file.replace(/\/dbt_project\.yml$/, ''), await files.text(file))
    if (!found) continue
    const other = project.packages.get(found.name)
    if (other) {
      const where = other === root ? 'the project itself' : other.folder
      reading.wrong(`the package "${found.name}" is there twice: ${where} has the same name`, { file })
    } else project.packages.set(found.name, found)
  }
  await checkWishes(reading, installed.length)
  return true
}

/** The variables of vars.yml, which take the place of those of dbt_project.yml and may be used in it. */
async function readVars({ files, failures, cache }: Reading): Promise<Config> {
  const text = await files.read('vars.yml')
  if (text === undefined) return {}
  const read = gathering(failures, () => readYamlText('vars.yml', text, undefined, cache))
  const vars = isRecord(read?.value) ? (read.value['vars'] ?? {}) : {}
  if (isRecord(vars)) return pythonVars(vars, 'vars.yml', text)
  failures.push(new Failure('PROJECT_INVALID', '"vars" must be a mapping', { place: read!.at(['vars']) }))
  return {}
}

function readPackage(
  { project, failures, cache }: Reading,
  folder: string,
  text: string,
  vars: Config = {},
): DbtPackage | undefined {
  const file = folder === '' ? 'dbt_project.yml' : `${folder}/dbt_project.yml`
  const globals = yamlGlobals(project.options, [...varScopes(project.options, undefined, undefined), vars])
  const warn: Warn = (message, place, event) => project.warnings.push({ message, place, ...(event && { event }) })
  const found = gathering(failures, () => readProjectFile(file, text, folder, globals, failures, warn, cache))
  if (found && Object.keys(vars).length > 0) {
    if (Object.keys(found.vars).length > 0)
      failures.push(
        new Failure('PROJECT_INVALID', 'Variables cannot be defined in both vars.yml and dbt_project.yml.', {
          place: { file },
        }),
      )
    found.vars = vars
  }
  if (found) belowProject(found, project.dir)
  if (!found || found.requiredVersion === undefined) return found
  const isChecked = project.options.flags.others?.['version_check'] !== false && found.flags['version_check'] !== false
  const problem = isChecked ? versionProblem(found.requiredVersion.value, dbtVersion) : undefined
  if (problem !== undefined)
    failures.push(
      new Failure('PROJECT_INVALID', `"${found.name}" cannot be read: ${problem}`, {
        place: found.requiredVersion.place,
        hint: 'Raise "require-dbt-version", or pass --no-version-check.',
      }),
    )
  return found
}

/** Folders may be named from the root of the disk (`/srv/shop/docs`). */
function belowProject({ paths, folder }: DbtPackage, dir: string): void {
  for (const kind of Object.keys(paths) as PathKind[])
    paths[kind] = paths[kind].map((path) => (isAbsolute(path) ? relative(join(dir, folder), path) : path))
}

/** dbt counts: fewer packages installed than package-lock.yml has, or else packages.yml, is an error. */
async function checkWishes(reading: Reading, installed: number): Promise<void> {
  const { files, project, failures } = reading
  try {
    const { wishes, locked, file } = await readPackageFiles(files, '', project.options, reading.cache)
    const wanted = locked && locked.wishes.length > 0 ? locked.wishes.length : wishes.length
    if (wanted > installed && file !== undefined) {
      reading.wrong(
        `${wanted} ${wanted === 1 ? 'package is' : 'packages are'} wanted and ${installed} ${installed === 1 ? 'is' : 'are'} installed in ${reading.root.packagesFolder}`,
        { file, line: 1, column: 1 },
        'Run `boathouse dbt deps`.',
      )
    }
  } catch (error) {
    gathering(failures, () => {
      throw error
    })
  }
}
