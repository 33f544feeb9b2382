// A Kysely dialect over a pg pool that tells lost connections as RECORDS_FAILED instead of raw socket errors.

import { type DatabaseConnection, type Driver, PostgresDialect } from 'kysely'
import pg from 'pg'
import { Failure } from '../base/failure.ts'
import type { Log } from '../base/log.ts'

const [connectionsMax, connectMsMax] = [10, 5_000]

// bigint arrives as text because it may exceed 2^53; ours are counts and growing keys, which do not.
const types = {
  getTypeParser: (id: number, format?: 'text' | 'binary') =>
    id === 20 ? Number : pg.types.getTypeParser(id, format as 'text'),
}

export function openPool({ url, schema, log }: { url: string; schema: string; log: Log }): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: connectMsMax,
    options: `-c search_path=${schema}`,
    application_name: 'boathouse',
    types: types as pg.CustomTypesConfig,
  })
  // An idle connection that the server closes is replaced at the next query; unheard, it would end the process.
  pool.on('error', (error) => log.warn('records connection lost', { message: error.message }))
  return pool
}

export class RecordsPostgresDialect extends PostgresDialect {
  override createDriver(): Driver {
    return translating(super.createDriver())
  }
}

function translating(driver: Driver): Driver {
  const known = new WeakSet<DatabaseConnection>()
  return new Proxy(driver, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown
      if (typeof value !== 'function') return value
      if (name !== 'acquireConnection')
        return (...args: unknown[]) => told(() => value.apply(target, args) as Promise<unknown>)
      return async (...args: unknown[]) => {
        const connection = (await told(() => value.apply(target, args) as Promise<unknown>)) as DatabaseConnection
        if (!known.has(connection)) {
          known.add(connection)
          const execute = connection.executeQuery.bind(connection)
          connection.executeQuery = (query, options) => told(() => execute(query, options))
        }
        return connection
      }
    },
  })
}

async function told<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw isConnectionLost(error)
      ? new Failure('RECORDS_FAILED', `PostgreSQL cannot be reached: ${messageOf(error)}`, { cause: error })
      : error
  }
}

/** Socket errors have letters for a code; SQLSTATE classes 08 (connection), 28 (login), 53 (resources), 57P (shutdown), 3D (no database). */
function isConnectionLost(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string }
  if (code) return /^(E[A-Z_]{2,}|08...|28...|3D000|53...|57P..)$/.test(code)
  return /connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/i.test(
    message,
  )
}

/** Node joins the attempts on several addresses in an AggregateError whose own message is empty. */
const messageOf = (error: unknown): string => {
  const { message, errors } = error as { message: string; errors?: Error[] }
  return message || errors?.map((one) => one.message).join('; ') || String(error)
}
