// The reference page of the HTTP API, printed from its OpenAPI description. Pure.

type Json = Record<string, any>

const intro = `# HTTP API

Printed by \`tools/print-openapi.ts\` from \`src/contract/routes.ts\`; do not edit. The same as OpenAPI 3.1: \`GET /api/openapi.json\`.

- **Who asks**: the cookie of a log-in (\`boathouse_session\`, with \`_PORT\` behind it on other ports than 8620), or an API token: \`authorization: Bearer bh_…\`.
- **Changes**: every request other than GET carries the header \`x-boathouse: 1\`; with an \`Origin\` it must be ours.
- **Failures** have the status of their code and the body [\`Failure\`](#failure); its \`requestId\` stands in the log and in the header \`x-request-id\`.
- **Environments**: where \`env\` is named, \`?env=NAME\` asks for another environment than the server's own.
- **Limits**: too many requests are answered 429 with \`retry-after\` in seconds.

\`\`\`sh
curl -s http://localhost:8620/api/query -H 'authorization: Bearer TOKEN' -H 'x-boathouse: 1' \\
  -H 'content-type: application/json' -d '{"sql":"select count(*) from raw.sales"}'
\`\`\`
`

/** Markdown of an OpenAPI 3.1 document as `openapi()` of the contract makes it. */
export function printReference(document: Json): string {
  const operations = Object.entries(document['paths'] as Json).flatMap(([path, methods]) =>
    Object.entries(methods as Json).map(
      ([method, operation]) => ({ method: method.toUpperCase(), path, ...(operation as Json) }) as Operation,
    ),
  )
  const byTag = Map.groupBy(operations, ({ tags }) => tags[0]!)
  const routes = [...byTag].map(([tag, list]) => `## Routes: ${tag}\n\n${list.map(operationText).join('\n')}`)
  const schemas = Object.entries(document['components'].schemas as Record<string, Json>)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, schema]) => schemaText(name, schema))
  return `${[intro, ...routes, '## Shapes\n', ...schemas].join('\n').trimEnd()}\n`
}

type Operation = {
  method: string
  path: string
  summary: string
  tags: string[]
  security?: unknown
  'x-role'?: string
  parameters?: { name: string; in: string; required: boolean; schema: Json; description?: string }[]
  requestBody?: { content: Record<string, { schema: Json }> }
  responses: Record<string, { content: Record<string, { schema: Json }> }>
}

function operationText(operation: Operation): string {
  const who =
    operation['x-role'] === 'admin' ? 'administrators' : operation.security ? 'everybody who is logged in' : 'anybody'
  const parameters = (operation.parameters ?? []).filter((one) => one.in !== 'header')
  const [type = '', answer] = Object.entries(operation.responses['200']!.content)[0] ?? []
  const [sentType = '', sent] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
  const stream = type === 'text/event-stream' ? 'events of ' : type === 'application/x-ndjson' ? 'lines of ' : ''
  const lines = [
    `For ${who}. Answers ${stream}${typeText(answer?.schema ?? {})}.`,
    ...(sent ? [`Takes ${typeText(sent.schema)}${sentType === 'application/json' ? '' : ` as ${sentType}`}.`] : []),
  ]
  const named = parameters.map(
    ({ name, in: where, required, schema, description }) =>
      `- \`${name}\` (${where}${required ? '' : ', optional'}): ${typeText(schema)}${aside(schema, description)}`,
  )
  return `### ${operation.method} ${operation.path}\n\n${operation.summary}\n${lines.join(' ')}\n${named.length > 0 ? `\n${named.join('\n')}\n` : ''}`
}

function schemaText(name: string, schema: Json): string {
  const about = schema['description'] ? `${schema['description'] as string}\n\n` : ''
  const variants: Json[] = schema['oneOf'] ?? schema['anyOf'] ?? [schema]
  const parts = variants.map((one) => (one['properties'] ? fieldsTable(one) : `${capital(typeText(one))}\n`))
  return `### ${name}\n\n${about}${parts.join('\nor\n\n')}`
}

function fieldsTable(schema: Json): string {
  const required = new Set<string>(schema['required'] ?? [])
  const rows = Object.entries(schema['properties'] as Record<string, Json>).map(
    ([name, field]) =>
      `| \`${name}\`${required.has(name) ? '' : ' (optional)'} | ${cell(typeText(field))} | ${cell(aside(field, field['description']).replace(/^\. /, ''))} |`,
  )
  return `| field | type | |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

/** `integer, 1 to 200, default 50`, `array of [Column](#column)`, `"a" or "b"`. */
function typeText(schema: Json): string {
  const reference = /([^/]+)$/.exec((schema['$ref'] as string | undefined) ?? '')?.[1]
  if (reference) return `[\`${reference}\`](#${reference.toLowerCase()})`
  if ('const' in schema) return `\`${JSON.stringify(schema['const'])}\``
  if (Array.isArray(schema['enum'])) return schema['enum'].map((word) => `\`${JSON.stringify(word)}\``).join(' or ')
  const variants = (schema['oneOf'] ?? schema['anyOf']) as Json[] | undefined
  if (variants) return variants.map(typeText).join(' or ')
  if (schema['type'] === 'array') {
    const tuple = schema['prefixItems'] as Json[] | undefined
    return tuple
      ? `array of ${tuple.map(typeText).join(', ')}`
      : `array of ${typeText((schema['items'] as Json | undefined) ?? {})}`
  }
  if (schema['type'] === 'object' && schema['properties']) {
    const required = new Set<string>(schema['required'] ?? [])
    const fields = Object.entries(schema['properties'] as Record<string, Json>).map(
      ([name, field]) => `\`${name}${required.has(name) ? '' : '?'}\`: ${typeText(field)}`,
    )
    return `{ ${fields.join(', ')} }`
  }
  if (schema['type'] === 'object')
    return `object${typeof schema['additionalProperties'] === 'object' && Object.keys(schema['additionalProperties'] as Json).length > 0 ? ` of ${typeText(schema['additionalProperties'] as Json)}` : ''}`
  return `${(schema['type'] as string | undefined) ?? 'any value'}${bounds(schema)}`
}

function bounds({ minimum, maximum, exclusiveMinimum, maxLength, minLength }: Json): string {
  const huge = Number.MAX_SAFE_INTEGER
  const parts = [
    typeof minimum === 'number' && minimum > -huge && `from ${minimum}`,
    typeof exclusiveMinimum === 'number' && `above ${exclusiveMinimum}`,
    typeof maximum === 'number' && maximum < huge && `to ${maximum}`,
    typeof minLength === 'number' && minLength > 1 && `at least ${minLength} characters`,
    typeof maxLength === 'number' && `at most ${maxLength} characters`,
  ].filter((part) => part !== false)
  return parts.length > 0 ? ` ${parts.join(' ')}` : ''
}

function aside(schema: Json, description: unknown): string {
  const parts = [
    'default' in schema && `default \`${JSON.stringify(schema['default'])}\``,
    typeof description === 'string' && description,
  ].filter((part) => part !== false)
  return parts.length > 0 ? `. ${parts.map((part) => capital(part)).join('. ')}` : ''
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)
