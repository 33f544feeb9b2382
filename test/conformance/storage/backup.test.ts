// The page about backups, done literally: its own commands, in a project whose server is written to all the time. What comes
// back is the state of one moment, and the project goes on from there.

import { execFile, execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openExample, type Example } from '../../support/example.ts'
import { freePort } from '../../support/free-port.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'
import { startServer } from '../../support/server-process.ts'
import { labServices } from './lab.ts'

const repository = join(import.meta.dirname, '../../..')
const program = join(repository, 'src/boathouse.ts')
const page = readFileSync(join(repository, 'docs/how-to/backup.md'), 'utf8')
const lab = await labServices('seaweedfs')

/** The first commands below a heading. */
function commandsUnder(heading: string): string {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`))
  const commands = /^```sh\n(.*?)^```/ms.exec(section ?? '')?.[1]
  if (!commands) throw new Error(`backup.md has no commands under "${heading}"`)
  return commands
}

/** A folder with `boathouse` and `aws` in it, as they would be on the path of somebody who reads the page. */
function programs(): string {
  const folder = mkdtempSync(join(tmpdir(), 'backup-programs-'))
  const write = (name: string, line: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\nexec ${line} "$@"\n`)
    chmodSync(join(folder, name), 0o755)
  }
  write('boathouse', `'${process.execPath}' --disable-warning=ExperimentalWarning '${program}'`)
  const requirements = join(import.meta.dirname, 'requirements-aws.txt')
  const python = execFileSync(join(import.meta.dirname, '../python.sh'), ['aws', requirements], { encoding: 'utf8' })
  if (lab) write('aws', `'${join(dirname(python.trim()), 'aws')}' --endpoint-url '${lab['LAB_S3_ENDPOINT']}'`)
  return folder
}

type Place = {
  of: string
  backup: string
  restore: string
  skipped: boolean
  /** Settings, where others than the usual ones are needed; gives what else the page's words stand for. */
  settle(example: Example): Promise<Record<string, string>>
  destroy(words: Record<string, string>, example: Example): Promise<void>
}

let postgres: TestPostgres | undefined
const bin = programs()

const places: Place[] = [
  {
    of: 'SQLite and the local disk',
    backup: 'Records in SQLite, files on the local disk',
    restore: 'Restore it',
    skipped: false,
    settle: async () => ({}),
    destroy: async (_, { dir }) => rmSync(join(dir, '.boathouse'), { recursive: true }),
  },
  {
    of: 'PostgreSQL and SeaweedFS (skipped without the lab of services)',
    backup: 'Records in PostgreSQL, files in a bucket',
    restore: 'Restore those',
    skipped: !lab,
    async settle({ dir }) {
      postgres = await startPostgres()
      const lake = `s3://${lab!['LAB_S3_BUCKET']}/backup_${randomUUID().slice(0, 8)}`
      const storage = `storage: {root: '${lake}', endpoint: '${lab!['LAB_S3_ENDPOINT']}', region: us-east-1}`
      appendFileSync(join(dir, 'boathouse.yml'), `\n${storage}\n`)
      const keys = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((name) => `${name}=${lab![name]}`)
      writeFileSync(join(dir, '.env'), [`DATABASE_URL=${postgres.url}`, ...keys, ''].join('\n'))
      return { 's3://lake/analytics': lake, 's3://backup/analytics': `${lake}_backup` }
    },
    async destroy(words) {
      await sh(`aws s3 rm --recursive --only-show-errors ${words['s3://lake/analytics']}`, tmpdir())
      await sh(`psql --quiet "$DATABASE_URL" -c 'drop schema boathouse cascade'`, tmpdir())
    },
  },
]

async function sh(commands: string, cwd: string): Promise<string> {
  const env = {
    ...process.env,
    ...lab,
    PATH: `${bin}:${process.env['PATH']}`,
    ...(postgres && { DATABASE_URL: postgres.url }),
  }
  const { stdout } = await promisify(execFile)('sh', ['-euc', commands], { cwd, env })
  return stdout
}

afterAll(() => rmSync(bin, { recursive: true, force: true }))

describe.each(places)('$of', (place) => {
  if (place.skipped) {
    test.skip('is restored', () => undefined)
    return
  }
  let example: Example
  let words: Record<string, string>
  let backup: string

  beforeAll(async () => {
    example = openExample()
    words = await place.settle(example)
    backup = mkdtempSync(join(tmpdir(), 'backup-'))
  })
  afterAll(async () => {
    await example.close()
    await postgres?.stop()
    postgres = undefined
    rmSync(backup, { recursive: true, force: true })
  })

  const asWritten = (heading: string) =>
    Object.entries({ '/backups/monday': backup, ...words }).reduce(
      (commands, [word, ours]) => commands.replaceAll(word, ours),
      commandsUnder(heading),
    )
  async function ask(sql: string): Promise<unknown[][]> {
    const { code, stdout, stderr } = await example.boathouse(['query', sql, '--json'])
    expect(code, stderr).toBe(0)
    return (JSON.parse(stdout) as { rows: unknown[][] }).rows
  }
  const figures = () =>
    ask('select count(*), sum(orders)::bigint, sum(revenue)::varchar from marts.daily_revenue order by all')

  test('is restored as it was at one moment, and goes on from there', async () => {
    expect(await example.boathouse(['run'])).toMatchObject({ code: 0 })
    for (const name of ['here', 'there']) await ask(`create table raw.${name} (n integer)`)
    const before = await figures()
    const port = await freePort()
    const server = await startServer({
      command: join(bin, 'boathouse'),
      args: ['serve', '-C', example.dir],
      env: { BOATHOUSE_HTTP_PORT: String(port), BOATHOUSE_PG_PORT: String(await freePort()) },
      ready: async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok,
      attemptsMax: 1_200,
      stopSignal: 'SIGTERM',
    })
    // The first server makes the administrator whose token this is.
    const made = await example.boathouse(['token', 'create', 'writer', '--json'])
    const { token } = JSON.parse(made.stdout) as { token: string }
    let [written, stops] = [0, false]
    async function writeAlways(): Promise<void> {
      while (!stops) {
        const sql = `insert into raw.here values (${written + 1}); insert into raw.there values (${written + 1})`
        const response = await fetch(`http://127.0.0.1:${port}/api/query`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-boathouse': '1' },
          body: JSON.stringify({ sql }),
        })
        expect(response.status, await response.text()).toBe(200)
        written++
      }
    }
    const writer = writeAlways()
    while (written < 3) await Promise.race([writer, new Promise((resolve) => setTimeout(resolve, 50))])
    const from = written
    await sh(asWritten(place.backup), example.dir)
    const to = written
    while (written < to + 3) await Promise.race([writer, new Promise((resolve) => setTimeout(resolve, 50))])
    stops = true
    await writer
    await server.stop()

    await place.destroy(words, example)
    await sh(asWritten(place.restore), example.dir)

    const count = `select count(*), count(distinct n), max(n) from`
    const [here] = await ask(`${count} raw.here`)
    const [there] = await ask(`${count} raw.there`)
    expect(here, 'both tables at one moment').toEqual(there)
    expect(here![0]).toBeGreaterThanOrEqual(from)
    expect(here![0]).toBeLessThanOrEqual(to + 1)
    expect(here, 'each row once, none left out').toEqual([here![0], here![0], here![0]])
    expect(await figures()).toEqual(before)
    // What came later is still in the source, and comes again; what nobody names can go.
    await ask('insert into raw.here values (-1)')
    expect(await example.boathouse(['run'])).toMatchObject({ code: 0 })
    expect(await figures()).toEqual(before)
    expect(await example.boathouse(['table', 'orphans', '--older-than', '0s', '--force'])).toMatchObject({ code: 0 })
    expect(await ask('select count(*) from raw.here')).toEqual([[(here![0] as number) + 1]])
    expect(await figures()).toEqual(before)
  })
})
