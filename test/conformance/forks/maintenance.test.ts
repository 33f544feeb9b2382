// What engines of others clean up in a fork never breaks the environment that it was forked from, nor the other way
// round. Whoever cleans up may be refused, or may do it; either way every snapshot of both sides keeps its rows.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LoadedTable } from '../../../src/catalog/index.ts'
import type { App } from '../../../src/cli/app.ts'
import { reachableFiles } from '../../../src/iceberg/index.ts'
import { collect } from '../../../src/lake/index.ts'
import { openProject } from '../../support/contended-table.ts'
import { openPyIceberg, openSpark, type Peer } from '../engines/peer.ts'
import { serveProject, type Served } from '../rck/served.ts'

const [spark, pyiceberg] = [await openSpark('3.5'), await openPyIceberg()]

let served: Served
let app: App
let made = 0
beforeAll(async () => {
  served = await serveProject({ warehouses: [] })
  app = await openProject(served.dir)
})
afterAll(async () => {
  spark?.stop()
  pyiceberg?.stop()
  await app.close()
  await served.stop()
})

/** A table with a history of appends and deletes, in an environment and in a fork of it. */
async function fork(peer: Peer) {
  const [name, environment] = [`t${++made}`, `fork${made}`]
  const changing = async (work: (changes: Awaited<ReturnType<App['lake']['openChanges']>>) => Promise<unknown>) => {
    const changes = await app.lake.openChanges({ catalog: app.environment.catalog, principal: app.principal })
    await work(changes)
    await changes.publish()
  }
  const at = { catalog: app.environment.catalog, namespace: 'raw', name }
  const select = 'select i as id, i % 3 as part from range(30) t(i)'
  await changing((changes) =>
    changes.replaceTable(at, select, {
      partitionedBy: [{ column: 'part', transform: { kind: 'identity' } }],
      properties: { 'write.delete.mode': 'merge-on-read' },
    }),
  )
  for (const id of [100, 101]) await changing((changes) => changes.append(at, `select ${id} as id, 1 as part`))
  const gone = `select _boathouse_file, _boathouse_pos, false as _boathouse_new, id, part from raw.${name} where id = 4`
  await changing((changes) => changes.changeRows(at, 'delete', gone))
  const { catalog } = served.boathouse('env', 'create', environment) as { catalog: string }
  const forked = { catalog, namespace: 'raw', name }
  for (const side of [at, forked]) await peer.connect(side.catalog, served, side.catalog)

  /** The rows of every snapshot of one side; throws when a file that the side names is gone. */
  const history = async (side: typeof at) => {
    const { location, metadata } = (await app.tables.load(side)) as LoadedTable
    for await (const { path } of reachableFiles(app.io, [{ location, metadata }]))
      expect(await app.io.stat(path), `${path} of ${side.catalog}`).toBeDefined()
    const all: Record<string, unknown> = {}
    for (const { snapshotId } of metadata.snapshots) {
      const sql = `select id, part from ${side.catalog}.raw.${name} at (version => ${snapshotId}) order by id`
      all[String(snapshotId)] = (await collect(await app.lake.query(sql, app.asking('cli')))).rows
    }
    return all
  }
  return { name, environment, origin: at, forked, history }
}

/** Each statement is run; that it was refused is as good as that it was not. */
async function attempt(peer: Peer, statements: readonly string[]): Promise<string[]> {
  const told: string[] = []
  for (const code of statements)
    told.push(
      await peer.run(code).then(
        () => 'done',
        (error: Error) => error.message,
      ),
    )
  return told
}

const sql = (text: string) => `answer = sql(${JSON.stringify(text)})`
const bySpark = (catalog: string, name: string): string[] => {
  const table = `table => 'raw.${name}'`
  return [
    sql(
      `CALL ${catalog}.system.expire_snapshots(${table}, older_than => TIMESTAMP '2999-01-01 00:00:00', retain_last => 1)`,
    ),
    sql(`CALL ${catalog}.system.remove_orphan_files(${table}, older_than => TIMESTAMP '2999-01-01 00:00:00')`),
    sql(`CALL ${catalog}.system.rewrite_data_files(${table}, options => map('rewrite-all', 'true'))`),
    sql(`CALL ${catalog}.system.rewrite_position_delete_files(${table}, options => map('rewrite-all', 'true'))`),
    sql(`CALL ${catalog}.system.rewrite_manifests(${table})`),
    // As somebody would who does not take no for an answer.
    sql(`ALTER TABLE ${catalog}.raw.${name} SET TBLPROPERTIES ('gc.enabled'='true')`),
    sql(
      `CALL ${catalog}.system.expire_snapshots(${table}, older_than => TIMESTAMP '2999-01-01 00:00:00', retain_last => 1)`,
    ),
    sql(`CALL ${catalog}.system.remove_orphan_files(${table}, older_than => TIMESTAMP '2999-01-01 00:00:00')`),
    sql(`DELETE FROM ${catalog}.raw.${name} WHERE part = 2`),
    sql(`INSERT OVERWRITE ${catalog}.raw.${name} VALUES (1000, 0)`),
    sql(
      `CALL ${catalog}.system.expire_snapshots(${table}, older_than => TIMESTAMP '2999-01-01 00:00:00', retain_last => 1)`,
    ),
    sql(`DROP TABLE ${catalog}.raw.${name} PURGE`),
  ]
}
const byPyIceberg = (catalog: string, name: string): string[] => {
  const table = `catalog('${catalog}').load_table('raw.${name}')`
  return [
    `${table}.maintenance.expire_snapshots().older_than(__import__('datetime').datetime(2999, 1, 1)).commit()`,
    `${table}.delete('part = 2')`,
    `${table}.transaction().set_properties({'gc.enabled': 'true'}).commit_transaction()`,
    `${table}.maintenance.expire_snapshots().older_than(__import__('datetime').datetime(2999, 1, 1)).commit()`,
    `${table}.delete()`,
    `catalog('${catalog}').purge_table('raw.${name}')`,
  ]
}

const peers = [
  ['Spark', spark, bySpark],
  ['PyIceberg', pyiceberg, byPyIceberg],
] as const

describe.each(peers)('%s', (what, peer, statements) => {
  if (!peer) return test.skip(`${what} is not here`, () => {})
  test.each(['fork', 'origin'] as const)('cleans up in the %s: the other side keeps everything', async (side) => {
    const { name, origin, forked, history } = await fork(peer)
    const [theirs, kept] = side === 'fork' ? [forked, origin] : [origin, forked]
    const before = await history(kept)
    expect(Object.keys(before)).toHaveLength(4)
    const told = await attempt(peer, statements(theirs.catalog, name))
    process.stdout.write(`${what} in the ${side}\n${told.map((text) => `  ${text.slice(0, 160)}\n`).join('')}`)
    expect(await history(kept)).toEqual(before)
    // And what is left on this side is whole.
    if (await app.tables.load(theirs)) await history(theirs)
    else expect(told.at(-1)).toBe('done')
    for (const [index, text] of told.entries())
      if (text !== 'done')
        expect(text, statements(theirs.catalog, name)[index]).toMatch(/GC is disabled|garbage|gc\.enabled/i)
  })

  test('our own clean-up of both sides afterwards keeps what either has', async () => {
    const { name, environment, origin, forked, history } = await fork(peer)
    const before = await history(origin)
    await attempt(peer, statements(forked.catalog, name).slice(0, -1))
    for (const env of [environment, 'dev'])
      for (const command of [['expire', '--older-than', '0'], ['compact', '--all-files'], ['orphans']])
        served.boathouse('table', ...command, `raw.${name}`, '--env', env)
    await history(forked)
    const [newest] = Object.entries(before).at(-1)!
    expect(Object.values(await history(origin)).map(String)).toContain(String(before[newest]))
    served.boathouse('env', 'drop', environment)
    await history(origin)
  })
})
