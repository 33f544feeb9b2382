// Public projects built by us and held against what dbt-core made of them. Runs where the lab of reference results is at
// hand (DBT_LAB, else ../shared/dbt), in the folder DBT_PROJECTS that lay-out.ts fills, or out of mirrors beside us.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const lab = process.env.DBT_LAB ?? '../shared/dbt'
const mirror = '../.mirror'
const projects = process.env.DBT_PROJECTS ?? (existsSync(mirror) ? join(tmpdir(), 'dbt-projects') : undefined)
// Those whose tables tell neither of the time nor of chance, and that are quick.
const names = ['jaffle_shop_duckdb', 'mf_tutorial', 'codegen_it']

test.skipIf(projects === undefined || !existsSync(lab)).for(names)(
  '%s comes out as from dbt-core',
  (name, { skip }) => {
    const layOut = [join(import.meta.dirname, 'lay-out.ts'), projects!, name]
    const laid = spawnSync(process.execPath, existsSync(mirror) ? [...layOut, '--mirror', mirror] : layOut, {
      encoding: 'utf8',
    })
    if (laid.status !== 0) skip(`its sources are not at hand: ${laid.stderr.trim().split('\n').at(-1)}`)
    const compare = join(import.meta.dirname, 'compare.ts')
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [compare, join(projects!, name), '--golden', join(lab, 'golden', `${name}.json`)],
      { encoding: 'utf8', env: { ...process.env, DBT_PYTHON: process.env.CONFORMANCE_PYTHON ?? 'python3' } },
    )
    expect(status, stdout + stderr).toBe(0)
  },
)
