// Clients of PostgreSQL as people use them: pgjdbc with all of its DatabaseMetaData, psycopg 3, SQLAlchemy's reflection.

import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPostgres } from '../../support/postgres.ts'
import { answers, expectedFile } from '../../support/pg-words.ts'
import { openPgWorld, password, type PgWorld } from '../../support/pg-world.ts'

const run = promisify(execFile)
const [pgjdbc, python] = ['42.7.4', process.env.CONFORMANCE_PYTHON ?? 'python3']
let world: PgWorld

beforeAll(async () => {
  world = await openPgWorld()
  await world.rows('create schema raw')
  await world.rows(`create table raw.sales (id bigint not null comment 'The number', amount decimal(12,2), d date,
    tags varchar[], at timestamptz) comment 'All sales'`)
  await world.rows('create table raw.keyed (id bigint not null, name varchar)')
  await world.rows('alter table raw.keyed set identifier fields id')
  await world.rows('create view raw.v as select id, amount from raw.sales')
})
afterAll(() => world.close())

test('pgjdbc: DatabaseMetaData in full, values in text and binary, fetch sizes, batches, savepoints', async () => {
  const jar = join(homedir(), `.m2/repository/org/postgresql/postgresql/${pgjdbc}/postgresql-${pgjdbc}.jar`)
  await run('mvn', ['-q', '-B', 'dependency:get', `-Dartifact=org.postgresql:postgresql:${pgjdbc}`])
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java'
  const url = `jdbc:postgresql://127.0.0.1:${world.port}/dev`
  const { stdout } = await run(java, ['-cp', jar, join(import.meta.dirname, 'Jdbc.java'), url, 'ada', password])
  // This one the driver itself has not.
  expect(stdout.split('\n').filter((line) => line.startsWith('FAIL') && !line.includes('getRowIdLifetime'))).toEqual([])
  await expect(stdout).toMatchFileSnapshot(join(import.meta.dirname, 'jdbc.expected.txt'))
})

test('psycopg and SQLAlchemy: values of each type both ways, reflection, server-side cursors, COPY, pipelines', async () => {
  const { stdout } = await run(python, [join(import.meta.dirname, 'reflect.py'), world.url()])
  await expect(stdout).toMatchFileSnapshot(join(import.meta.dirname, 'reflect.expected.txt'))
})

test('PostgreSQL answers in its own words as the file says', async () => {
  const postgres = await startPostgres()
  try {
    await expect(await answers(postgres.url)).toMatchFileSnapshot(expectedFile)
  } finally {
    await postgres.stop()
  }
})
