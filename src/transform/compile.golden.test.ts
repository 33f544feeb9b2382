// Every folder of test/golden/compile is a dbt project; its expected.json is what dbt-core 1.12 made of it.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { compileNode, loadProject } from './index.ts'
import { fakeLake } from './fake-lake.ts'

const folder = fileURLToPath(new URL('../../test/golden/compile', import.meta.url))
const cases = globSync('*/expected.json', { cwd: folder })
  .map((file) => basename(dirname(file)))
  .sort()

type Expected = {
  nodes: Record<
    string,
    {
      compiled: string
      relation: string[]
      fqn: string[]
      tags: string[]
      depends_on: string[]
      config: Record<string, unknown>
    }
  >
  sources: Record<string, string[]>
}

test.each(cases)('%s', async (name) => {
  const dir = join(folder, name)
  const expected = JSON.parse(readFileSync(join(dir, 'expected.json'), 'utf8')) as Expected
  const project = await loadProject(dir, {
    target: { name: 'dev', catalog: 'dev_analytics', schema: 'main' },
    env: { GOLDEN_VALUE: 'from env' },
    command: 'compile',
  })
  const setup = join(dir, 'setup.sql')
  const { lake } = await fakeLake('dev_analytics', existsSync(setup) ? readFileSync(setup, 'utf8') : '')
  const work = { project, lake, principal: { id: 'system', name: 'system', role: 'system' as const } }
  const actual: Expected = { nodes: {}, sources: {} }
  for (const [id, wanted] of Object.entries(expected.nodes)) {
    const node = project.nodes.get(id)
    if (!node) continue
    const keys = Object.keys(wanted.config)
    actual.nodes[id] = {
      compiled: (await compileNode(node, work)).sql,
      relation: [node.database, node.schema, node.alias],
      fqn: node.fqn,
      tags: [...node.tags].sort(),
      depends_on: [...node.dependsOn].sort(),
      config: Object.fromEntries(
        keys.map((key) => [key, key === 'tags' ? [...new Set(node.config[key] as string[])].sort() : node.config[key]]),
      ),
    }
  }
  for (const source of project.sources.values())
    actual.sources[source.uniqueId] = [source.database, source.schema, source.identifier]
  expect(JSON.parse(JSON.stringify(actual))).toEqual(expected)
  expect([...project.nodes.keys()].filter((id) => !id.startsWith('seed.')).sort()).toEqual(
    Object.keys(expected.nodes).sort(),
  )
})
