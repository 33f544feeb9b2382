// Every folder of test/golden/manifest is a dbt project; its expected.json is what dbt-core 1.12 writes of it into
// manifest.json and semantic_manifest.json once it has read it (`generate.py` there).

import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadProject, semanticManifest } from './index.ts'
import { manifestOf } from '../project/dbt/index.ts'

const folder = fileURLToPath(new URL('../../test/golden/manifest', import.meta.url))
const cases = globSync('*/expected.json', { cwd: folder })
  .map((file) => basename(dirname(file)))
  .sort()

/** What depends on when a manifest was written, and what dbt leaves out once it has no value. */
const apart = new Set(['created_at', 'build_path', 'defer_relation', 'root_path', 'compiled', 'compiled_path'])

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key, each]) => !apart.has(key) && each !== null)
  return Object.fromEntries(kept.map(([key, each]) => [key, plain(each)]))
}

test.each(cases)('%s', async (name) => {
  const wanted = JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8')) as Record<string, unknown>
  const project = await loadProject(join(folder, name), {
    target: { name: 'dev', catalog: 'db', schema: 'main' },
    command: 'parse',
  })
  const manifest = manifestOf(project, { generatedAt: 0 })
  const made: Record<string, unknown> = { ...manifest, semantic_manifest: semanticManifest(manifest) }
  const actual = JSON.parse(JSON.stringify(made)) as Record<string, unknown>
  for (const [section, value] of Object.entries(wanted)) expect(plain(actual[section]), section).toEqual(plain(value))
})
