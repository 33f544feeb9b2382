import { afterAll, beforeAll, expect, test } from 'vitest'
import { parsePrimitive, type Schema } from '../../iceberg/index.ts'
import { openWorld } from '../world.ts'
import { curveColumns, curveTerm } from './z-order.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

/** Least first; the order by one column alone is that of its values. */
test.each([
  ['int', ['-2147483648', '-1', '0', '2147483647']],
  ['long', ['-9223372036854775808', '0', '9223372036854775807']],
  ['double', ["'-inf'", '-1e300', '0', '1e300', "'inf'"]],
  ['decimal(38,2)', ['-999999999999999999999999999999999999.99', '0', '999999999999999999999999999999999999.99']],
  ['boolean', ['false', 'true']],
  ['date', ["'0001-01-01'", "'1969-12-31'", "'1970-01-02'", "'9999-12-31'"]],
  ['time', ["'00:00:00'", "'12:00:00'", "'23:59:59.999999'"]],
  ['timestamp', ["'0001-01-01'", "'1970-01-01 00:00:01'", "'9999-12-31'"]],
  ['timestamptz', ["'1999-01-01 00:00:00Z'", "'1999-01-01 01:00:00Z'"]],
  ['timestamp_ns', ["'1999-01-01 00:00:00.000000001'", "'1999-01-01 00:00:00.5'"]],
  ['string', ["''", "'A'", "'Z'", "'a'", "'ä'", "'日'"]],
  ['string', ["'shared by all of them 1'", "'shared by all of them 2'", "'shared by all of them 20'"]],
  ['binary', ["''::BLOB", "'\\x00\\x01'::BLOB", "'\\xFF'::BLOB"]],
  ['uuid', ["'00000000-0000-0000-0000-000000000001'", "'80000000-0000-0000-0000-000000000000'"]],
])('%s: %j', async (kind, values) => {
  const type = parsePrimitive(kind)
  const schema: Schema = {
    schemaId: 0,
    identifierFieldIds: [],
    fields: [{ id: 1, name: 'a b', required: false, type }],
  }
  const sqlName = kind === 'string' ? 'VARCHAR' : kind === 'binary' ? 'BLOB' : kind === 'long' ? 'BIGINT' : kind
  const all = ['NULL', ...values].map((value, index) => `SELECT CAST(${value} AS ${sqlName}) AS "a b", ${index} AS i`)
  const from = `(${all.join(' UNION ALL ')})`
  const term = await curveTerm(world.engine, from, curveColumns(schema, ['a b']), undefined)
  const rows = await world.engine.rows({ class: 'write', sql: `SELECT i FROM ${from} ORDER BY ${term}, i` })
  expect(rows.flat().map(Number)).toEqual(all.map((_, index) => index))
})

test('rows without a value in any column, and no rows, have a place too', async () => {
  const schema: Schema = {
    schemaId: 0,
    identifierFieldIds: [],
    fields: [
      { id: 1, name: 'a', required: false, type: { kind: 'string' } },
      { id: 2, name: 'b', required: false, type: { kind: 'double' } },
    ],
  }
  const columns = curveColumns(schema, ['b', 'a'])
  for (const where of ['true', 'false']) {
    const from = `(SELECT NULL::VARCHAR AS a, 'NaN'::DOUBLE AS b WHERE ${where})`
    const term = await curveTerm(world.engine, from, columns, undefined)
    await world.engine.rows({ class: 'write', sql: `SELECT * FROM ${from} ORDER BY ${term}` })
  }
  expect(() => curveColumns(schema, ['a', 'c'])).toThrow('zorder(a, c): the table has no column c')
})
