// What `boathouse dbt` leaves in target/ is read by dbt-core's own classes, and is valid by the schemas it publishes.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openExample } from '../../support/example.ts'

const python = process.env.CONFORMANCE_PYTHON
const golden = join(import.meta.dirname, '../../golden')

describe.skipIf(!python)('artifacts', () => {
  const opened = [join(golden, 'dbt-shop'), join(golden, 'select/project')].map((folder) => openExample(folder))
  afterAll(async () => {
    for (const one of opened) await one.close()
  })

  test.each([
    ['a project that is built', opened[0]!, ['build', 'source freshness', 'docs generate', 'build']],
    [
      'a project with everything, some of it red',
      opened[1]!,
      ['deps', 'build', 'source freshness', 'docs generate', 'build'],
    ],
  ])('%s', async (_, project, commands) => {
    for (const command of commands) {
      const { code, stdout, stderr } = await project.boathouse(['dbt', ...command.split(' '), '-q'])
      expect(code, stdout + stderr).toBeLessThan(2)
    }
    const target = join(project.dir, 'target')
    const found = JSON.parse(
      execFileSync(python!, [join(import.meta.dirname, 'validate.py'), target], { encoding: 'utf8' }),
    ) as Record<string, string[]>
    expect(found).toEqual({ 'manifest.json': [], 'run_results.json': [], 'catalog.json': [], 'sources.json': [] })
  })
})
