// The reference page and the editor's JSON schema, printed from the table of settings.

import { z } from 'zod'
import { type Setting, settings } from './settings.ts'

const all = Object.values(settings) as Setting[]

/** docs/reference/configuration.md */
export function printConfigurationPage(): string {
  return `# Configuration

Printed by \`tools/print-configuration.ts\` from \`src/config/settings.ts\`; do not edit.

A setting is a line in \`boathouse.yml\` or a variable. The command line goes over the variables of the process, these over \`.env\`
beside \`boathouse.yml\`, that over \`boathouse.yml\`, that over the default. An empty variable counts as not set. Everything that is wrong is told
at once, and a variable \`BOATHOUSE_…\` or a key that does not exist is a mistake. Durations are written \`500ms\`, \`30s\`, \`5min\`, \`2h\`, \`30d\`; sizes \`512MB\`,
\`4GB\`, \`2GiB\`.

Secrets are variables only: they belong in \`.env\` (not committed) or in the environment of the process, never in \`boathouse.yml\`. They appear in no log.

| in boathouse.yml | variable | value | default | what it does |
| --- | --- | --- | --- | --- |
${all.map(row).join('\n')}

## An example of each

\`\`\`yaml
${all.flatMap((setting) => (setting.key ? [`${setting.key}: ${setting.example}`] : [])).join('\n')}
\`\`\`
(A dotted key is a nested one: \`http.port: 8620\` is written \`http: {port: 8620}\`.)

\`\`\`sh
${all.flatMap(({ env, example }) => (env ? [`${env}=${/\s/.test(example) ? `"${example}"` : example}`] : [])).join('\n')}
\`\`\`
`
}

function row(setting: Setting): string {
  const code = (text: string | null) => (text ? `\`${text}\`` : '')
  const fallback = setting.required ? 'required' : (setting.fallback?.text ?? 'none')
  const cells = [
    code(setting.key),
    code(setting.env),
    setting.says,
    fallback,
    setting.about + (setting.secret ? ' Secret.' : ''),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

type JsonSchema = { [key: string]: unknown; properties?: Record<string, JsonSchema> }

/** docs/reference/schemas/boathouse.schema.json: what editors complete and check `boathouse.yml` with. */
export function boathouseJsonSchema(): JsonSchema {
  const root = section('Settings of a Boathouse project.')
  for (const setting of all) if (setting.key) place(root, setting.key.split('.'), leaf(setting))
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'boathouse.yml',
    ...root,
    required: ['name'],
  }
}

const section = (description: string): JsonSchema => ({
  type: 'object',
  description,
  additionalProperties: false,
  properties: {},
})

function place(parent: JsonSchema, [first, ...rest]: string[], schema: JsonSchema): void {
  const properties = (parent.properties ??= {})
  if (rest.length === 0) properties[first!] = schema
  else place((properties[first!] ??= section(`Settings of ${first}.`)), rest, schema)
}

function leaf(setting: Setting): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(setting.schema(), {
    io: 'input',
    unrepresentable: 'any',
  }) as JsonSchema
  const fallback = setting.fallback ? ` Default: ${setting.fallback.text}.` : ''
  return {
    ...schema,
    description: `${setting.about} Expected ${setting.says}, for example ${setting.example}.${fallback}`,
  }
}
