// Every endpoint of the specification that is served, by its own spelling: /v1/config lists them, requests find them.

import { Failure } from '../../base/failure.ts'
import { done, parseBody, type Handler, type Params } from './call.ts'
import {
  createNamespace,
  dropNamespace,
  listEntries,
  listNamespaces,
  loadNamespace,
  namespaceExists,
  updateProperties,
} from './namespaces.ts'
import { signRequest } from './sign.ts'
import {
  commitTable,
  commitTransaction,
  createTable,
  dropTable,
  loadCredentials,
  loadTable,
  registerTable,
  renameEntry,
  tableExists,
  tableOf,
  unregisterTable,
} from './tables.ts'
import { createView, dropView, loadView, registerView, replaceView, viewExists } from './views.ts'
import { z } from 'zod'

const Report = z.looseObject({ 'report-type': z.enum(['scan-report', 'commit-report']) })

const reportMetrics: Handler = async (call, rest) => {
  const report = parseBody(Report, call.body)
  const { name } = await tableOf(call, rest)
  call.log.debug('metrics of an iceberg client', { table: name, ...report })
  return done
}

const unsupported: Handler = async ({ method }) => {
  throw new Failure('UNSUPPORTED', `the server does not support this operation (${method})`)
}

const namespaces = '/v1/{prefix}/namespaces'
const one = `${namespaces}/{namespace}`
const table = `${one}/tables/{table}`
const view = `${one}/views/{view}`

/**
 * `changes`: a request may carry an Idempotency-Key. The audit is told of those, and of requests that `open` a table or view for
 * whoever asks; of others, and of each file of what was opened, only that they were refused.
 */
type Endpoint = { handle: Handler; changes?: true; opens?: true }

export const endpoints: Record<string, Endpoint> = {
  [`GET ${namespaces}`]: { handle: listNamespaces },
  [`POST ${namespaces}`]: { handle: createNamespace, changes: true },
  [`GET ${one}`]: { handle: loadNamespace },
  [`HEAD ${one}`]: { handle: namespaceExists },
  [`DELETE ${one}`]: { handle: dropNamespace, changes: true },
  [`POST ${one}/properties`]: { handle: updateProperties, changes: true },
  [`GET ${one}/tables`]: { handle: listEntries('table') },
  [`POST ${one}/tables`]: { handle: createTable, changes: true },
  [`POST ${one}/register`]: { handle: registerTable, changes: true },
  [`GET ${table}`]: { handle: loadTable, opens: true },
  [`POST ${table}`]: { handle: commitTable, changes: true },
  [`DELETE ${table}`]: { handle: dropTable, changes: true },
  [`HEAD ${table}`]: { handle: tableExists },
  [`POST ${table}/unregister`]: { handle: unregisterTable, changes: true },
  [`GET ${table}/credentials`]: { handle: loadCredentials, opens: true },
  [`POST ${table}/sign`]: { handle: signRequest },
  [`POST ${table}/metrics`]: { handle: reportMetrics },
  'POST /v1/{prefix}/tables/rename': { handle: renameEntry('table'), changes: true },
  'POST /v1/{prefix}/transactions/commit': { handle: commitTransaction, changes: true },
  [`GET ${one}/views`]: { handle: listEntries('view') },
  [`POST ${one}/views`]: { handle: createView, changes: true },
  [`GET ${view}`]: { handle: loadView, opens: true },
  [`POST ${view}`]: { handle: replaceView, changes: true },
  [`DELETE ${view}`]: { handle: dropView, changes: true },
  [`HEAD ${view}`]: { handle: viewExists },
  'POST /v1/{prefix}/views/rename': { handle: renameEntry('view'), changes: true },
  [`POST ${one}/register-view`]: { handle: registerView, changes: true },
}

/** Parts of the specification that are answered with 406 and not listed: planning of scans, functions. */
const others: Record<string, Endpoint> = Object.fromEntries(
  [
    `POST ${table}/plan`,
    `GET ${table}/plan/{plan-id}`,
    `DELETE ${table}/plan/{plan-id}`,
    `POST ${table}/tasks`,
    `GET ${one}/functions`,
    `GET ${one}/functions/{function}`,
  ].map((key) => [key, { handle: unsupported }]),
)

type Found = { endpoint: Endpoint; prefix: string | undefined; params: Params }

const patterns = Object.entries({ ...endpoints, ...others }).map(([key, endpoint]) => {
  const [method = '', path = ''] = key.split(' ')
  return { method, endpoint, parts: path.split('/').slice(3) }
})

/**
 * The endpoint of a path below `/iceberg`, as it was sent. Without a prefix it is the root warehouse's.
 * @throws NOT_FOUND for a path that the specification does not have, REQUEST_INVALID for a method it does not have there
 */
export function findEndpoint(method: string, path: string): Found {
  const segments = path.split('/').slice(1)
  const tries = [
    { prefix: undefined, rest: segments.slice(1) },
    { prefix: segments[1] === undefined ? undefined : decode(segments[1]), rest: segments.slice(2) },
  ]
  let isKnown = false
  for (const { prefix, rest } of segments[0] === 'v1' ? tries : [])
    for (const pattern of patterns) {
      if (pattern.parts.length !== rest.length) continue
      if (!pattern.parts.every((part, index) => part.startsWith('{') || part === rest[index])) continue
      isKnown = true
      if (pattern.method === method)
        return { endpoint: pattern.endpoint, prefix, params: paramsOf(pattern.parts, rest) }
    }
  if (isKnown) throw new Failure('REQUEST_INVALID', `${method} is not defined for ${path.slice(0, 300)}`)
  throw new Failure('NOT_FOUND', `there is no ${method} ${path.slice(0, 300)}`)
}

function paramsOf(parts: readonly string[], values: readonly string[]): Params {
  const params: Params = { namespace: [], table: '', view: '' }
  for (const [index, part] of parts.entries()) {
    const value = values[index]!
    if (part === '{namespace}') params.namespace = levels(value)
    else if (part === '{table}' || part === '{view}') params[part.slice(1, -1) as 'table' | 'view'] = named(value)
  }
  return params
}

function levels(value: string): string[] {
  const found = decode(value).split('\u001f')
  // Java asks for the table "t" of no namespace when somebody writes `t.snapshots`, and goes by the answer "not found".
  if (value === '') return found
  if (found.some((level) => level === '')) throw new Failure('REQUEST_INVALID', 'namespace: a level is empty')
  return found
}

function named(value: string): string {
  const name = decode(value)
  if (name === '') throw new Failure('REQUEST_INVALID', 'the name is empty')
  return name
}

/** Java's clients write a space as `+` and a plus as `%2B`; the others write `%20` and `%2B`. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', '%20'))
  } catch {
    throw new Failure('REQUEST_INVALID', `${value.slice(0, 300)} is not percent-encoded UTF-8`)
  }
}
