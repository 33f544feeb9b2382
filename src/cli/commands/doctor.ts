import { Failure, asFailure, showPlace } from '../../base/failure.ts'
import { newId } from '../../base/ids.ts'
import { joinLocation } from '../../io/index.ts'
import { collect } from '../../lake/index.ts'
import { readProject } from '../../project/index.ts'
import { findSupervisor } from '../../orchestrate/index.ts'
import type { App } from '../app.ts'
import { sqlStatus } from '../sql-endpoint.ts'
import { served } from './users.ts'
import { noArguments, type Command } from '../command.ts'
import { counted } from '../output.ts'

type Check = { name: string; run(): Promise<string> }

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check storage, catalog, records, queue and engine, and what the project expects of its data.',
  examples: ['boathouse doctor', 'boathouse doctor --json'],
  async run(context) {
    noArguments(context)
    const { out } = context
    const app = await context.open()
    const results: { name: string; ok: boolean; found: string; hint?: string }[] = []
    for (const { name, run } of [...machineChecks(app), ...projectChecks(app)]) {
      try {
        results.push({ name, ok: true, found: await run() })
      } catch (error) {
        const failure = asFailure(error)
        results.push({
          name,
          ok: false,
          found: `${failure.code}: ${showPlace(failure.place)}${failure.message}`,
          hint: failure.hint,
        })
      }
      const last = results.at(-1)!
      out.line(`${last.ok ? out.style.green('ok    ') : out.style.red('failed')}  ${last.name}: ${last.found}`)
      if (last.hint) out.line(`        ${last.hint}`)
    }
    const failed = results.filter(({ ok }) => !ok)
    if (out.json) out.answer({ ok: failed.length === 0, checks: results }, '')
    else
      out.line(
        failed.length === 0
          ? `\nAll ${results.length} checks passed.`
          : `\n${failed.length} of ${results.length} checks failed.`,
      )
    return failed.length === 0 ? 0 : 1
  },
}

/** Each writes only to a place of its own and takes it away again. */
function machineChecks(app: App): Check[] {
  const id = newId()
  return [
    {
      name: 'storage',
      async run() {
        const path = joinLocation(app.lakehouse.root, `.doctor-${id}`)
        const bytes = Buffer.from(id)
        try {
          await app.io.write(path, bytes)
          const read = await app.io.read(path)
          if (!read || !Buffer.from(read).equals(bytes))
            throw new Failure('STORAGE_FAILED', 'what was written is not what is read')
        } finally {
          await app.io.delete(path)
        }
        if (await app.io.stat(path)) throw new Failure('STORAGE_FAILED', 'a deleted file is still there')
        return `put, get and delete in ${app.config.storage.root}`
      },
    },
    {
      name: 'catalog',
      async run() {
        const { pointers, catalog, isExternal } = app.lakehouse
        if (isExternal) {
          const namespaces = await catalog.namespaces(app.environment.catalog)
          return `${app.config.catalog.external!.uri} answers; ${namespaces.length} namespaces in ${app.environment.catalog}`
        }
        const name = { catalog: `doctor_${id}`, namespace: 'doctor', name: 'probe' }
        const location = `doctor://${id}`
        await pointers.swap([{ name, kind: 'table', from: null, to: location }])
        try {
          if ((await pointers.pointer(name))?.location !== location)
            throw new Failure('RECORDS_FAILED', 'a pointer was not found again')
        } finally {
          await pointers.swap([{ name, kind: 'table', from: location, to: null }])
        }
        return `a pointer swapped and dropped; ${(await app.tables.list(app.environment.catalog)).length} tables in ${app.environment.catalog}`
      },
    },
    {
      name: 'records',
      async run() {
        await app.records.check()
        return app.records.kind === 'sqlite' ? 'SQLite in the state folder' : 'PostgreSQL'
      },
    },
    { name: 'queue', run: () => app.checkQueue() },
    {
      name: 'engine',
      async run() {
        const rows = await app.engine.rows({ class: 'interactive', sql: 'SELECT 42, version()', timeoutMs: 20_000 })
        return `DuckDB ${String(rows[0]?.[1])} answers`
      },
    },
    { name: 'SQL clients', run: () => checkSql(app) },
    {
      name: 'project',
      async run() {
        const project = await readProject(app.config.dir)
        const [first, ...more] = project.failures
        if (first)
          throw new Failure(first.code, `${first.message}${more.length > 0 ? ` (and ${more.length} more)` : ''}`, {
            hint: first.hint,
            ...(first.place ? { place: first.place } : {}),
          })
        return [
          counted(project.sources.length, 'source'),
          counted(project.metrics.length, 'metric file'),
          counted(project.dashboards.length, 'dashboard'),
        ].join(', ')
      },
    },
  ]
}

async function checkSql(app: App): Promise<string> {
  const { stateDir, pg } = app.config
  if (!pg.enabled) return 'not served: pg.enabled is false'
  if (!findSupervisor(stateDir)) return 'served once `boathouse up` runs'
  const { sql } = served(app)
  if (!sql)
    throw new Failure('PORT_TAKEN', 'SQL clients are not served: the usual port of the endpoint was taken', {
      hint: 'Choose another, for example pg.port: 5440, and start again; or say pg.enabled: false.',
    })
  const status = await sqlStatus(sql)
  if (status === 'does not answer')
    throw new Failure('DOCTOR_FAILED', `nobody answers at ${sql.host}:${sql.port}`, {
      hint: '`boathouse logs serve` says why.',
    })
  return `${sql.host}:${sql.port} answers${status === 'ok' ? '' : ', with TLS'}`
}

function projectChecks(app: App): Check[] {
  return app.config.doctor.map(({ name, sql, expect }) => ({
    name,
    async run() {
      const { rows } = await collect(await app.lake.query(sql, { ...app.asking('doctor'), cache: false }))
      const value = rows[0]?.[0]
      const hint = `The project expects this in boathouse.yml under \`doctor\`: ${sql}`
      const problem = (what: string) =>
        new Failure('DOCTOR_FAILED', `found ${JSON.stringify(value ?? null)}, expected ${what}`, { hint })
      if (rows.length !== 1 || rows[0]!.length !== 1)
        throw new Failure('DOCTOR_FAILED', `one value is expected, found ${rows.length} rows`, { hint })
      if (expect.equals !== undefined && String(value) !== String(expect.equals)) throw problem(String(expect.equals))
      if (expect.at_least !== undefined && !(Number(value) >= expect.at_least))
        throw problem(`at least ${expect.at_least}`)
      if (expect.at_most !== undefined && !(Number(value) <= expect.at_most)) throw problem(`at most ${expect.at_most}`)
      return String(value)
    },
  }))
}
