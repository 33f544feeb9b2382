// Every folder of test/golden/refused is a dbt project that dbt-core refuses (dbt.txt is what it says): it is refused
// here too, with at least as good a message.

import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Failure, Failures } from '../base/failure.ts'
import { loadProject } from './index.ts'

const folder = fileURLToPath(new URL('../../test/golden/refused', import.meta.url))
const cases = globSync('*/project', { cwd: folder })
  .map((file) => basename(dirname(file)))
  .sort()

const shown = ({ code, place, message }: Failure) =>
  `${place?.file ?? '-'}:${place?.line ?? '-'}:${place?.column ?? '-'} ${code}: ${message}`

test.each(cases)('%s', async (name) => {
  const dir = join(folder, name, 'project')
  const said = await loadProject(dir, { target: { name: 'dev', catalog: 'dev' }, command: 'parse' }).then(
    () => ['accepted'],
    (error: unknown) => {
      if (error instanceof Failures) return error.all.map(shown)
      if (error instanceof Failure) return [shown(error)]
      throw error
    },
  )
  expect(said).not.toEqual(['accepted'])
  await expect(`${said.join('\n').replaceAll(dir, 'PROJECT')}\n`).toMatchFileSnapshot(
    join(folder, name, 'expected.txt'),
  )
})

test('dbt-core refuses them all', () => {
  const accepted = cases.filter((name) => readFileSync(join(folder, name, 'dbt.txt'), 'utf8') === 'accepted\n')
  expect(accepted).toEqual([])
})
