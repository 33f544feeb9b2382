// What the commands know of the PostgreSQL endpoint: how to connect to it, and whether it answers.

import { connect } from 'node:net'

export type SqlEndpoint = { host: string; port: number }

/** How a SQL client connects. A database is an environment. */
export const sqlLine = (endpoint: SqlEndpoint, environment: string): string =>
  `SQL clients: psql -h ${reachedAt(endpoint)} -p ${endpoint.port} -U YOUR_NAME ${environment}`

/** Said where clients are wanted and have no port: whoever holds it would answer them. */
export const sqlMissing = 'SQL clients are not served: port 5439 is taken. Choose another: BOATHOUSE_PG_PORT=5440'

/** Asks whether TLS is spoken, which every client may ask before it says who it is. */
export async function sqlStatus(endpoint: SqlEndpoint): Promise<'ok' | 'ok, with TLS' | 'does not answer'> {
  const socket = connect({ host: reachedAt(endpoint), port: endpoint.port, timeout: 3_000 })
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      socket.once('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))) // SSLRequest
      socket.once('data', (bytes) => resolve(bytes.toString('latin1', 0, 1)))
      for (const event of ['error', 'timeout', 'close']) socket.once(event, () => reject(new Error(event)))
    })
    return answer === 'S' ? 'ok, with TLS' : answer === 'N' ? 'ok' : 'does not answer'
  } catch {
    return 'does not answer'
  } finally {
    socket.destroy()
  }
}

const reachedAt = ({ host }: SqlEndpoint): string => (host === '0.0.0.0' || host === '::' ? 'localhost' : host)
