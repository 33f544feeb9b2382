// package-lock.yml: what was settled, and the hash of what was wished, by which dbt and we see whether it still holds.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isScalar, parseDocument, stringify, visit } from 'yaml'
import { quoteAscii } from '../../jinja/index.ts'

type Entry = Record<string, unknown>

/** A number that is written `1.0`: Python keeps the point, and the hash needs what Python says. */
class Decimal {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** The packages as they are written, templates not rendered. */
export async function writtenPackages(file: string): Promise<Entry[]> {
  const document = parseDocument(await readFile(file, 'utf8'))
  visit(document, {
    Scalar(_, node) {
      if (isScalar(node) && typeof node.value === 'number' && /^-?\d+\.\d*$/.test(node.source ?? ''))
        node.value = new Decimal(Number.isInteger(node.value) ? `${node.value}.0` : String(node.value))
    },
  })
  const root = document.toJS() as unknown
  const list = typeof root === 'object' && root !== null ? (root as Entry)['packages'] : undefined
  return Array.isArray(list) ? list.filter((one): one is Entry => typeof one === 'object' && one !== null) : []
}

/** dbt's hash of the wishes: SHA-1 of their sorted JSON texts. `rendered` stand for templates in `written`. */
export function wishesHash(written: readonly Entry[], rendered: readonly Entry[]): string {
  const texts = written.map((entry, at) => pythonJson(contractOf(rendered[at] ?? entry, entry)))
  return createHash('sha1').update(texts.toSorted().join('\n')).digest('hex')
}

function contractOf(entry: Entry, unrendered: Entry): Entry {
  const { name, ...rest } = entry
  const named = name === undefined || name === null ? {} : { name }
  if (entry['git'] !== undefined)
    return {
      git: entry['git'],
      revision: entry['revision'] ?? null,
      subdirectory: entry['subdirectory'] ?? null,
      'warn-unpinned': entry['warn-unpinned'] ?? entry['warn_unpinned'] ?? null,
      unrendered,
      ...named,
    }
  if (entry['package'] !== undefined)
    return {
      package: entry['package'],
      version: entry['version'],
      install_prerelease: entry['install_prerelease'] ?? entry['install-prerelease'] ?? false,
      unrendered,
      ...named,
    }
  return { ...rest, unrendered, ...named }
}

/** `json.dumps(value, sort_keys=True)`. */
function pythonJson(value: unknown): string {
  if (value instanceof Decimal) return value.text
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value).toSorted()
    return `{${keys.map((key) => `${quoteAscii(key)}: ${pythonJson((value as Entry)[key])}`).join(', ')}}`
  }
  return typeof value === 'string' ? quoteAscii(value) : JSON.stringify(value ?? null)
}
/** Text of package-lock.yml. */
export function lockText(packages: readonly Entry[], hash: string): string {
  return stringify({ packages, sha1_hash: hash }, { sortMapEntries: true, lineWidth: 0 })
}
