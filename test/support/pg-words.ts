// What people write in the words of PostgreSQL alone: each line of `test/golden/wire/words.sql` is a statement, and what PostgreSQL answers
// stands in `words.expected.txt`.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

const file = (name: string) => fileURLToPath(new URL(`../golden/wire/${name}`, import.meta.url))
export const expectedFile = file('words.expected.txt')

/** The statements, each with its answer: names of columns, then rows; values as texts. */
export async function answers(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig
  const told: string[] = []
  for (const text of readFileSync(file('words.sql'), 'utf8').trimEnd().split('\n')) {
    const answer = await client
      .query<(string | null)[]>({ text, rowMode: 'array', types })
      .then(({ fields, rows }) => [fields.map(({ name }) => name), ...rows])
      .catch((error: { code: string; message: string }) => [[error.code, error.message]])
    told.push([text, ...answer.map((row) => `  ${row.map((value) => value ?? 'null').join(' ; ')}`)].join('\n'))
  }
  await client.end()
  return `${told.join('\n')}\n`
}
