// From a new connection to somebody known: TLS, the start-up message, the password.
//
// Until then a client may send little and take little time, and whoever has no name here is answered like whoever has.

import { randomBytes } from 'node:crypto'
import { TLSSocket, type SecureContext } from 'node:tls'
import { asFailure, Failure } from '../../base/failure.ts'
import { logInAs, type WireIdentity } from '../../govern/index.ts'
import { Body, utf8 } from './body.ts'
import type { PgDatabase, PgDeps } from './deps.ts'
import * as say from './messages.ts'
import { ProtocolViolation, Wire } from './socket.ts'

export type Entered = {
  wire: Wire
  identity: WireIdentity
  database: PgDatabase
  /** What databases are called here, in lower case; of several names of one, the first is told. */
  names: Readonly<Record<string, string>>
  /** The client named the environment, so it may be written though protected. */
  named: boolean
  /** The other start-up parameters: settings of the session. */
  settings: Map<string, string>
  address: string
}
/** A request to cancel what another connection runs. */
export type CancelRequest = { cancel: { id: number; key: number } }

const [sslRequest, gssRequest, cancelRequest] = [80877103, 80877104, 80877102]
/** A JWT has up to 16 KiB. */
const [startupBytesMax, passwordBytesMax] = [10_000, 17_000]

export async function logIn(
  wire: Wire,
  deps: PgDeps,
  tls: SecureContext | undefined,
): Promise<Entered | CancelRequest> {
  const address = wire.socket.remoteAddress ?? ''
  const { wire: open, startup, secure } = await startUp(wire, tls)
  if ('cancel' in startup) return startup
  const { settings: rules } = deps
  const { parameters, unknown, minor } = startup
  if (minor > 0 || unknown.length > 0) open.send(say.negotiateVersion(unknown))
  const user = parameters.get('user')
  if (!user) throw new Failure('REQUEST_INVALID', 'the client names no user')
  if (!secure && !rules.plaintext && !isLocal(address))
    throw new Failure('FORBIDDEN', 'connections of other machines need TLS', {
      hint: 'Connect with sslmode=require.',
    })
  const started = deps.clock.now()
  const record = (verdict: 'allowed' | 'refused', who: WireIdentity | undefined, failureCode?: Failure['code']) =>
    deps.govern.audit.record({
      principal: who?.principal ?? null,
      door: 'pgwire',
      action: logInAs(user),
      verdict,
      failureCode,
      ms: deps.clock.now() - started,
    })
  try {
    const identity =
      rules.auth === 'password' && (secure || isLocal(address))
        ? await byPassword(open, deps, user, address)
        : await byScram(open, deps, user, address)
    // Known only now: who does not know a password does not learn the names of databases.
    const database = databaseOf(parameters.get('database'), user, deps)
    const names = databaseNames(parameters.get('database'), database.database, deps)
    await record('allowed', identity)
    for (const name of ['user', 'database', 'replication']) parameters.delete(name)
    return { wire: open, identity, ...database, names, settings: parameters, address }
  } catch (error) {
    if (error instanceof Failure) await record('refused', undefined, asFailure(error).code)
    throw error
  }
}

type Startup = { parameters: Map<string, string>; unknown: string[]; minor: number }

async function startUp(
  wire: Wire,
  tls: SecureContext | undefined,
  secure = false,
): Promise<{ wire: Wire; startup: Startup | CancelRequest; secure: boolean }> {
  // A client asks for TLS and for GSSAPI at most once each.
  for (let round = 0; round < 3; round++) {
    const body = new Body(await wire.readStartup(startupBytesMax))
    const code = body.int32()
    if (code === cancelRequest) return { wire, startup: { cancel: { id: body.int32(), key: body.int32() } }, secure }
    if (code === sslRequest && tls && !secure) {
      // What came along with the request was not encrypted, and would be taken for what is.
      if (wire.ahead > 0) throw new ProtocolViolation('bytes after the request for TLS')
      wire.send(Buffer.from('S'))
      wire.flush()
      const socket = new TLSSocket(wire.detach(), { isServer: true, secureContext: tls })
      return startUp(new Wire(socket), tls, true)
    }
    if (code === sslRequest || code === gssRequest) {
      wire.send(Buffer.from('N'))
      wire.flush()
      continue
    }
    if (code >> 16 !== 3)
      throw new Failure('UNSUPPORTED', `version ${code >> 16}.${code & 0xffff} of the protocol is not spoken`, {
        hint: 'Version 3.0 is.',
      })
    return { wire, startup: { ...parametersOf(body), minor: code & 0xffff }, secure }
  }
  throw new ProtocolViolation('no start-up message')
}

function parametersOf(body: Body): { parameters: Map<string, string>; unknown: string[] } {
  const parameters = new Map<string, string>()
  const unknown: string[] = []
  for (let name = body.text(); name !== ''; name = body.text()) {
    const value = body.text()
    if (name.startsWith('_pq_.')) unknown.push(name)
    else parameters.set(name, value)
  }
  return { parameters, unknown }
}

function databaseOf(asked: string | undefined, user: string, deps: PgDeps): { database: PgDatabase; named: boolean } {
  const { current, currentNamed, databases, project } = deps
  const found = databases.find(({ name, catalog }) => asked === name || asked === catalog)
  if (found) return { database: found, named: true }
  // Clients that are told nothing take the user's name, and tools `postgres`.
  if (asked === undefined || asked === '' || [project, user, 'postgres'].includes(asked))
    return { database: current, named: currentNamed }
  throw new Failure('PROJECT_NOT_FOUND', `database "${asked}" does not exist`, {
    hint: `There are ${databases.map(({ name }) => name).join(', ')}.`,
  })
}

async function passwordMessage(wire: Wire): Promise<Body> {
  wire.flush()
  const { type, body } = await wire.next(passwordBytesMax)
  if (type !== 'p') throw new ProtocolViolation('a password was asked for')
  return new Body(body)
}

async function byPassword(wire: Wire, deps: PgDeps, user: string, address: string): Promise<WireIdentity> {
  wire.send(say.askPassword)
  const password = (await passwordMessage(wire)).text()
  return deps.govern.wire.logIn(user, password, { address })
}

/** RFC 5802; channel binding is not offered. */
async function byScram(wire: Wire, deps: PgDeps, user: string, address: string): Promise<WireIdentity> {
  wire.send(say.askSasl)
  const initial = await passwordMessage(wire)
  if (initial.text() !== 'SCRAM-SHA-256') throw new ProtocolViolation('SCRAM-SHA-256 is the one way to log in')
  const first = /^((?:n|y),[^,]*,)((?:m=[^,]*,)?n=[^,]*,r=([!-+\--~]+).*)$/s.exec(
    utf8(initial.value() ?? Buffer.alloc(0)),
  )
  if (!first) throw new ProtocolViolation('the first message of SCRAM is malformed')
  const [, header, bare, clientNonce] = first
  const scram = await deps.govern.wire.startScram(user, { address })
  const nonce = clientNonce! + randomBytes(18).toString('base64')
  const challenge = `r=${nonce},s=${scram.salt.toString('base64')},i=${scram.iterations}`
  wire.send(say.saslContinue(challenge))
  const last = /^(c=([^,]*),r=([^,]*)(?:,[^,]*)*?),p=([^,]*)$/s.exec(utf8((await passwordMessage(wire)).rest()))
  if (!last) throw new ProtocolViolation('the last message of SCRAM is malformed')
  const [, withoutProof, binding, sameNonce, proof] = last
  if (sameNonce !== nonce || Buffer.from(binding!, 'base64').toString() !== header)
    throw new ProtocolViolation('the last message of SCRAM does not go with the first')
  const { identity, serverSignature } = await scram.finish(
    `${bare},${challenge},${withoutProof}`,
    Buffer.from(proof!, 'base64'),
  )
  wire.send(say.saslFinal(`v=${serverSignature.toString('base64')}`))
  return identity
}

/** Whether a client is on this machine. */
export const isLocal = (address: string): boolean => /^(127\.|::1$|::ffff:127\.)/.test(address) || address === ''

/** Clients look for the database by the name that they were given, and write it before that of a schema. */
function databaseNames(
  asked: string | undefined,
  current: PgDatabase,
  { databases, project }: PgDeps,
): Record<string, string> {
  const own = new Map(databases.map(({ catalog }) => [catalog, catalog]))
  const others = databases.filter(({ name }) => !own.has(name)).map(({ name, catalog }) => [name, catalog] as const)
  const isByCatalog = asked !== undefined && own.has(asked)
  const first = asked === project ? [[project, current.catalog] as const] : []
  const all = [...first, ...(isByCatalog ? [] : others), ...own, ...others]
  return Object.fromEntries(all.map(([name, catalog]) => [name.toLowerCase(), catalog]))
}
