// PyIceberg's SqlCatalog is the peer that reads and writes the layout of our pointers.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openRecords } from '../../../src/records/index.ts'

const python = process.env.PYICEBERG_PYTHON

test('PyIceberg opens catalog.db and writes to it', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'catalog-'))
  const records = await openRecords({ stateDir, records: { url: undefined, schema: 'boathouse' } })
  const script = `
import sys
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import NestedField, LongType
c = SqlCatalog('dev_analytics', uri='sqlite:///' + sys.argv[1] + '/catalog.db', warehouse='file://' + sys.argv[1])
c.create_namespace('raw')
c.create_table('raw.t', Schema(NestedField(1, 'id', LongType())))
print(c.list_tables('raw'), c.load_table('raw.t').schema().fields[0].name)`
  expect(execFileSync(python!, ['-c', script, stateDir], { encoding: 'utf8' })).toBe("[('raw', 't')] id\n")
  const rows = await records.catalog
    .selectFrom('iceberg_tables')
    .select(['catalog_name', 'table_namespace', 'table_name', 'iceberg_type'])
    .execute()
  expect(rows).toMatchObject([
    { catalog_name: 'dev_analytics', table_namespace: 'raw', table_name: 't', iceberg_type: 'TABLE' },
  ])
  await records.close()
  rmSync(stateDir, { recursive: true, force: true })
})
