// The compatibility kit of the Apache Iceberg project, a JVM program, against the real server: with records in SQLite
// and again in PostgreSQL. It runs where the kit is at hand (the lab of peers beside the repository, or the folder that RCK_KIT names)
// with Java 17 and Maven; the first run resolves its class path from Maven Central.

import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startPostgres } from '../../support/postgres.ts'
import { serveProject, type Served } from './served.ts'

const given = process.env['RCK_KIT'] ?? fileURLToPath(new URL('../../../../shared/conformance/rck', import.meta.url))
// The kit writes beside itself, so it runs from a folder of ours that keeps the class path for the next time.
const kit = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'boathouse-rck')

describe.skipIf(!existsSync(join(given, 'rck')))('the compatibility kit (skipped: the kit is not at hand)', () => {
  test.each(['SQLite', 'PostgreSQL'])('passes with records in %s', async (store) => {
    const postgres = store === 'PostgreSQL' ? await startPostgres() : undefined
    if (postgres) onTestFinished(() => postgres.stop())
    const served = await serveProject({
      warehouses: ['rck'],
      ...(postgres ? { databaseUrl: postgres.url } : {}),
    })
    onTestFinished(() => served.stop())
    const output = await runKit(served)
    console.log(`${store}: ${output.trim()}`)
    expect(output).toContain('RCK tests=157 passed=145 failed=0 skipped=12 ')
  })
})

async function runKit({ uri, token, dir }: Served): Promise<string> {
  mkdirSync(kit, { recursive: true })
  for (const file of ['rck', 'pom.xml', 'preclean.py']) cpSync(join(given, file), join(kit, file), { force: true })
  const child = spawn(join(kit, 'rck'), [uri, 'rck', `token=${token}`], {
    env: { ...process.env, RCK_TOKEN: token, RCK_OUT: join(dir, 'rck-out') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => output.push(data.toString()))
  await new Promise((resolve) => child.once('close', resolve))
  return output.join('')
}
