import { expect, test } from 'vitest'
import { Failure } from '../../base/failure.ts'
import type { Lake } from '../../lake/index.ts'
import { isStatement } from './is-statement.ts'
import { runScript } from './statements.ts'

test.each([
  ['select 1', false],
  ['  -- note\n/* and */ (select 1)', false],
  ['with a as (select 1) select * from a', false],
  ['from t', false],
  ['describe t', false],
  ['insert into t select 1', true],
  ['-- select\ncreate table t as select 1', true],
  ['commit', true],
  ['', true],
])('%j changes something: %j', (sql, changes) => expect(isStatement(sql)).toBe(changes))

test('a script runs statement by statement, without what a change set needs not', async () => {
  const sent: string[] = []
  const warnings: string[] = []
  const lake = {
    async query(sql: string) {
      sent.push(sql)
      if (sql.includes('wrong')) throw new Failure('SQL_INVALID', 'no', { place: { line: 2, column: 3 } })
      const rows = sql.startsWith('select') ? [[sent.length]] : [[9]]
      return {
        columns: [{ name: 'n', type: 'INTEGER', nullable: true }],
        chunks: (async function* () {
          yield { rowCount: 1, json: JSON.stringify(rows) }
        })(),
        truncated: () => false,
      }
    },
  } as unknown as Pick<Lake, 'query'>
  const sending = {
    lake,
    options: { principal: { id: 's', name: 's', role: 'system' as const }, catalog: 'c', door: 'run' as const },
    onWarning: (message: string) => void warnings.push(message),
  }
  const { rows } = await runScript(
    "begin; insert into t values (';'); select 2; commit; set x = 1; create index i on t (a); delete from t; create or replace sequence if not exists s start 1; drop sequence s",
    sending,
  )
  expect(sent).toEqual(["insert into t values (';')", 'select 2', 'delete from t'])
  expect(rows).toEqual([[2]])
  expect(warnings).toEqual([
    'SET does nothing here and was left out',
    'CREATE INDEX does nothing here and was left out',
    'CREATE SEQUENCE does nothing here and was left out',
    'DROP SEQUENCE does nothing here and was left out',
  ])
  await expect(runScript('select 1;\n  select\n wrong', sending)).rejects.toMatchObject({
    place: { line: 3, column: 3 },
  })
})
