// `dbt deps --add-package`: one more entry in packages.yml, in place of an older one for the same package.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMap, isSeq, parseDocument, YAMLSeq } from 'yaml'
import { Failure } from '../../base/failure.ts'

export type NewPackage = { name: string; version: string | undefined; source: 'hub' | 'git' | 'local' }

/** Comments and what else the file says stay as they are. @throws Failure PROJECT_INVALID when packages.yml cannot be read */
export async function addPackage(dir: string, { name, version, source }: NewPackage): Promise<string> {
  const file = join(dir, 'packages.yml')
  const text = await readFile(file, 'utf8').catch(() => '')
  const document = parseDocument(text)
  if (document.errors.length > 0) throw new Failure('PROJECT_INVALID', `packages.yml: ${document.errors[0]!.message}`)
  if (!isMap(document.contents)) document.contents = parseDocument('packages: []').contents
  let list = document.get('packages')
  if (!isSeq(list)) {
    list = new YAMLSeq()
    document.set('packages', list)
  }
  const packages = list as YAMLSeq
  packages.flow = false
  packages.items = packages.items.filter(
    (item) => !isMap(item) || !isSame(item.toJSON() as Record<string, unknown>, name),
  )
  const key = source === 'hub' ? 'package' : source
  const bounds = version?.includes(',') ? version.split(',').map((each) => each.trim()) : version
  packages.add(
    document.createNode({
      [key]: name,
      ...(bounds === undefined ? {} : { [source === 'git' ? 'revision' : 'version']: bounds }),
    }),
  )
  await writeFile(file, document.toString())
  return file
}

/** The same package by its last name, be it from the hub or from git; `-` and `_` are the same. */
function isSame(entry: Record<string, unknown>, name: string): boolean {
  const last = (text: string) =>
    text
      .replace(/\.git$/, '')
      .split('/')
      .at(-1)!
      .replaceAll('-', '_')
      .toLowerCase()
  const subject = entry['package'] ?? entry['git'] ?? entry['local'] ?? entry['tarball']
  return typeof subject === 'string' && last(subject) === last(name)
}
