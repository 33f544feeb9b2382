// The route table as an OpenAPI 3.1 document. Pure: the same table always prints the same text.

import { z } from 'zod'
import { csrfHeader, routes, splitRoute, type Route, type RouteKey } from './routes.ts'
import * as schemas from './schemas.ts'

type Json = { [key: string]: unknown }

const names = new Map<z.ZodType, string>()
for (const [name, schema] of Object.entries(schemas)) if (schema instanceof z.ZodType) names.set(schema, name)

const reference = (name: string) => `#/components/schemas/${name}`

/** OpenAPI 3.1 of all routes. `version` is the product's. */
export function openapi(version: string): Json {
  const paths: Record<string, Json> = {}
  for (const key of Object.keys(routes) as RouteKey[]) {
    const { method, path } = splitRoute(key)
    const at = path.replace(/:(\w+)/g, '{$1}')
    paths[at] = { ...paths[at], [method.toLowerCase()]: operation(method, routes[key]) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Boathouse',
      version,
      description: 'What the web app, the command line and other programs say to a Boathouse server.',
    },
    paths,
    components: {
      schemas: components(),
      securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'boathouse_session' } },
    },
  }
}

function components(): Json {
  const registry = z.registry<{ id: string }>()
  for (const [schema, id] of names) registry.add(schema, { id })
  const { schemas: printed } = z.toJSONSchema(registry, { io: 'input', uri: reference, unrepresentable: 'any' })
  return Object.fromEntries(Object.entries(printed).map(([name, schema]) => [name, bare(schema as Json)]))
}

function operation(method: string, route: Route): Json {
  const parameters = [
    ...fields(route.params, 'path'),
    ...fields(route.query, 'query'),
    ...(route.environment
      ? [
          {
            name: 'env',
            in: 'query',
            required: false,
            schema: { type: 'string' },
            description: 'Another environment than the server’s own.',
          },
        ]
      : []),
    ...(method === 'GET'
      ? []
      : [
          {
            name: csrfHeader.name,
            in: 'header',
            required: true,
            schema: { const: csrfHeader.value },
            description: 'Refuses forms of other sites.',
          },
        ]),
  ]
  const type =
    route.stream === 'sse'
      ? 'text/event-stream'
      : route.stream === 'ndjson'
        ? 'application/x-ndjson'
        : 'application/json'
  return {
    operationId: route.id,
    summary: route.summary,
    tags: [route.tag],
    ...(route.auth === 'none' ? {} : { security: [{ session: [] }] }),
    ...(route.auth === 'admin' ? { 'x-role': 'admin' } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body
      ? {
          requestBody: {
            required: true,
            content: { [route.form ? 'multipart/form-data' : 'application/json']: { schema: print(route.body) } },
          },
        }
      : {}),
    responses: {
      200: { description: 'Done.', content: { [type]: { schema: print(route.response) } } },
      default: {
        description: 'A failure, with the status of its code.',
        content: { 'application/json': { schema: { $ref: reference('Failure') } } },
      },
    },
  }
}

function fields(object: z.ZodObject | undefined, where: 'path' | 'query'): Json[] {
  return Object.entries(object?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = bare(z.toJSONSchema(schema as z.ZodType, { io: 'input' }) as Json)
    const required = where === 'path' || !(schema as z.ZodType).safeParse(undefined).success
    return { name, in: where, required, schema: rest, ...(description ? { description } : {}) }
  })
}

function print(schema: z.ZodType): Json {
  const name = names.get(schema)
  if (name) return { $ref: reference(name) }
  return bare(z.toJSONSchema(schema, { io: 'input' }) as Json)
}

/** OpenAPI 3.1 names the dialect once for the whole document; schemas inside it carry neither `$schema` nor `$id`. */
const bare = (schema: Json): Json =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'))
