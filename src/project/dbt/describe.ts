// Descriptions: `{{ doc('name') }}` is filled in from the docs blocks of all packages.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import { compileTemplate, findBlocks, str, type Callable } from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { Reading } from './reading.ts'
import type { DbtDoc, DbtPackage } from './types.ts'
import { gathering, renderText } from './yaml-file.ts'

/** A template of its own that knows no names: `{% raw %}` is what it is good for. Else it stays as it is, ends of lines included. */
const textOf = (body: string, place: Place): string =>
  /\{[{%#]/.test(body) ? compileTemplate(body, place).render(new Map<string, unknown>(), { lenient: true }) : body

/** The `{% docs %}` blocks of a package. */
export async function readDocs(reading: Reading, from: DbtPackage): Promise<void> {
  const { files, project, failures } = reading
  for (const { file } of await files.find(from, from.paths.docs, /\.md$/i)) {
    const text = await files.text(file)
    if (!text.includes('{%')) continue
    gathering(failures, () => {
      for (const block of findBlocks(text, file, ['docs'])) {
        const place = { file, line: block.origin.line ?? 1, column: block.origin.column ?? 1 }
        const key = `${from.name}.${block.name}`
        const other = project.docs.get(key)
        if (other) {
          reading.wrong(
            `the docs block "${block.name}" is already defined in ${other.place.file}:${other.place.line ?? 1}`,
            place,
          )
          continue
        }
        project.docs.set(key, { name: block.name, package: from.name, text: textOf(block.body, place).trim(), place })
      }
    })
  }
}

/** Fills the descriptions of nodes, sources, columns, macros and all entries. */
export function describeAll(reading: Reading): void {
  const { project } = reading
  const describe = new Describer(reading)
  for (const node of [...project.nodes.values(), ...project.sources.values()]) {
    const place = ('patch' in node ? node.patch : undefined) ?? node.place
    const own = describe.text(node.description, node.package, place)
    node.description = own.text
    node.docBlocks = own.docBlocks
    if ('sourceDescription' in node)
      node.sourceDescription = describe.text(node.sourceDescription, node.package, place).text
    node.columns = node.columns.map((column) => {
      if (!column.description.includes('{')) return column
      const { text, docBlocks } = describe.text(column.description, node.package, column.place)
      return { ...column, description: text, docBlocks }
    })
  }
  for (const macro of project.macros) {
    if (macro.properties)
      macro.description = describe.text(macro.description, macro.package, macro.properties.place).text
  }
  for (const entry of [
    ...project.exposures.values(),
    ...project.metrics.values(),
    ...project.semanticModels.values(),
    ...project.savedQueries.values(),
    ...project.unitTests.values(),
  ])
    entry.description = describe.text(entry.description, entry.package, entry.place).text
  for (const { value, package: from, place } of project.semanticModels.values())
    for (const element of ['entities', 'dimensions', 'measures'].flatMap((key) => value[key] ?? []))
      if (isRecord(element) && typeof element['description'] === 'string')
        element['description'] = describe.text(element['description'], from, place).text
}

/** `{{ doc('name') }}` or `{{ doc('package', 'name') }}`. */
const wholeCall = /\{\{[-+]?\s*doc\(\s*('[^']*'|"[^"]*")\s*(?:,\s*('[^']*'|"[^"]*")\s*)?,?\s*\)\s*[-+]?\}\}/g

class Describer {
  readonly #reading: Reading
  readonly #byName = new Map<string, DbtDoc>()

  constructor(reading: Reading) {
    this.#reading = reading
    for (const doc of reading.project.docs.values()) if (!this.#byName.has(doc.name)) this.#byName.set(doc.name, doc)
  }

  text(text: string, packageName: string, place: Place): { text: string; docBlocks: string[] } {
    if (!/\{[{%#]/.test(text)) return { text, docBlocks: [] }
    const doc: Callable = (args) => {
      const [name = '', from] = args.map(str).toReversed()
      const found = this.#find(name, from, packageName)
      if (!found)
        throw new Failure('PROJECT_INVALID', `there is no docs block "${name}"${didYouMean(name, this.#byName.keys())}`)
      return found.text
    }
    const { project, failures } = this.#reading
    const globals = this.#reading.globals(project.packages.get(packageName)!)
    const withDoc = { get: (name: string) => (name === 'doc' ? doc : globals.get(name)) }
    return { text: str(renderText(text, place, withDoc, failures)), docBlocks: this.#namedIn(text, packageName) }
  }

  /** As dbt finds them: what is put together (`doc('a' ~ 'b')`) or passed on (`doc('a').format(…)`) is not among them. */
  #namedIn(text: string, packageName: string): string[] {
    return Array.from(text.matchAll(wholeCall), ([, first, second]) => {
      const [name, from] = second === undefined ? [first, undefined] : [second, first]
      return this.#find(name!.slice(1, -1), from?.slice(1, -1), packageName)
    }).flatMap((found) => (found ? [`doc.${found.package}.${found.name}`] : []))
  }

  #find(name: string, from: string | undefined, packageName: string): DbtDoc | undefined {
    const { docs, name: root } = this.#reading.project
    if (from !== undefined) return docs.get(`${from}.${name}`)
    return docs.get(`${packageName}.${name}`) ?? docs.get(`${root}.${name}`) ?? this.#byName.get(name)
  }
}
