// Every folder of test/golden/refused is a dbt project that dbt-core refuses (dbt.txt is what it says): it is refused
// here too, with at least as good a message: when it is read or, like by dbt, when its SQL is made.

import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Failure, Failures } from '../base/failure.ts'
import { fakeLake } from './fake-lake.ts'
import { compileNode, loadProject, type DbtProject } from './index.ts'

const folder = fileURLToPath(new URL('../../test/golden/refused', import.meta.url))
const cases = globSync('*/project', { cwd: folder })
  .map((file) => basename(dirname(file)))
  .sort()

const shown = ({ code, place, message }: Failure) =>
  `${place?.file ?? '-'}:${place?.line ?? '-'}:${place?.column ?? '-'} ${code}: ${message}`

test.each(cases)('%s', async (name) => {
  const dir = join(folder, name, 'project')
  const said = await loadProject(dir, { target: { name: 'dev', catalog: 'dev' }, command: 'parse' }).then(
    compiled,
    failuresOf,
  )
  expect(said).not.toEqual(['accepted'])
  await expect(`${said.join('\n').replaceAll(dir, 'PROJECT')}\n`).toMatchFileSnapshot(
    join(folder, name, 'expected.txt'),
  )
})

const failuresOf = (error: unknown): string[] => {
  if (error instanceof Failures) return error.all.map(shown)
  if (error instanceof Failure) return [shown(error)]
  throw error
}

const { lake } = await fakeLake()
const system = { id: 'system', name: 'system', role: 'system' as const }

async function compiled(project: DbtProject): Promise<string[]> {
  const said: string[] = []
  for (const node of project.nodes.values())
    await compileNode(node, { project, lake, principal: system }).catch((error: unknown) =>
      said.push(...failuresOf(error)),
    )
  return said.length > 0 ? said : ['accepted']
}

test('dbt-core refuses them all', () => {
  const accepted = cases.filter((name) => readFileSync(join(folder, name, 'dbt.txt'), 'utf8') === 'accepted\n')
  expect(accepted).toEqual([])
})
