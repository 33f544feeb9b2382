// One connection of an engine host, with the statements that it keeps prepared.
//
// Every call of DuckDB is a trip to another thread and back, and a text that is run is three of them: it is taken apart,
// prepared, run. What every query needs (BEGIN, COMMIT) and what is asked again and again with other parameters is prepared once.

import type {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBPreparedStatement,
  DuckDBResult,
  DuckDBValue,
} from '@duckdb/node-api'

const keptMax = 8

export type HostConnection = Awaited<ReturnType<typeof openConnection>>

export async function openConnection(instance: DuckDBInstance, timeZone: string) {
  const connection: DuckDBConnection = await instance.connect()
  let zone = timeZone
  const kept = new Map<string, DuckDBPreparedStatement>()

  async function prepared(sql: string): Promise<DuckDBPreparedStatement> {
    const known = kept.get(sql)
    if (known) return known
    const statement = await connection.prepare(sql)
    kept.set(sql, statement)
    const oldest = kept.size > keptMax ? kept.keys().next().value : undefined
    if (oldest !== undefined) {
      kept.get(oldest)!.destroySync()
      kept.delete(oldest)
    }
    return statement
  }
  const control = async (sql: string): Promise<void> => void (await (await prepared(sql)).run())

  return {
    /** What it says of times from now on, until it is told another one. */
    async inZone(wanted: string): Promise<void> {
      if (wanted === zone) return
      await connection.run(`SET SESSION TimeZone = '${wanted.replaceAll("'", "''")}'`)
      zone = wanted
    },
    /** Of a transaction that leaves nothing behind in this process. */
    begin: () => control('BEGIN TRANSACTION READ ONLY'),
    /** Fails when a statement of the transaction has failed, though nobody may have been told. */
    commit: () => control('COMMIT'),
    /** Does nothing where no transaction is under way. */
    rollback: () => control('ROLLBACK').catch(() => {}),

    /** The whole result. With parameters the text is kept: it says nothing of its own. */
    async run(sql: string, parameters: DuckDBValue[] = []): Promise<DuckDBResult> {
      if (parameters.length === 0) return connection.run(sql)
      const statement = await prepared(sql)
      statement.bind(parameters)
      return statement.run()
    },

    async stream(sql: string, parameters: DuckDBValue[]): Promise<DuckDBResult> {
      const statement = await connection.prepare(sql)
      try {
        if (parameters.length > 0) statement.bind(parameters)
        return await statement.stream()
      } finally {
        statement.destroySync()
      }
    },

    prepare: (sql: string) => connection.prepare(sql),
    interrupt: () => connection.interrupt(),

    close() {
      for (const statement of kept.values()) statement.destroySync()
      connection.closeSync()
    },
  }
}
