// The results of `matrix.test.ts` as a page.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Results = { version: string; reads: Record<string, string>; isRead: Record<string, string> }
const folder = join(import.meta.dirname, 'results')
const names: Record<string, string> = { pyiceberg: 'PyIceberg', spark: 'Spark', spark_4: 'Spark 4', trino: 'Trino' }

export function compatibilityPage(): string {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
  const engines = files.map((file) => ({
    name: names[file.replace('.json', '')]!,
    ...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Results),
  }))
  const notes: string[] = []
  /** `Y`, or `-` with the number of a note that says why. */
  const cell = (answer: string | undefined) => {
    if (answer === undefined || answer === 'Y') return answer ?? ''
    if (!notes.includes(answer)) notes.push(answer)
    return `- ${notes.indexOf(answer) + 1})`
  }
  const table = (header: readonly string[], rows: readonly (readonly string[])[]) =>
    [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
  const whats = [...new Set(engines.flatMap(({ reads }) => Object.keys(reads)))]
  const ours = table(
    ['table of ours', ...engines.map(({ name }) => name)],
    whats.map((what) => [what, ...engines.map(({ reads }) => cell(reads[what]))]),
  )
  const theirs = engines.map(
    ({ name, isRead }) =>
      `### Written by ${name}\n${table(
        [`table of ${name}`, 'read here'],
        Object.entries(isRead).map(([what, answer]) => [what, cell(answer)]),
      )}`,
  )
  return `# Which engine reads what

Measured by \`make conformance\` (\`test/conformance/engines\`), not promised: every table goes through the REST catalog at \`/iceberg\`, and every row is compared. ${engines.map(({ name, version }) => `${name.replace(' 4', '')} ${version}`).join(', ')}.
Spark 3.5 runs with \`iceberg-spark-runtime\` 1.10.1, Spark 4 with 1.11.0. Printed by \`node tools/print-compatibility.ts\`.

## What Boathouse writes, read by others
${ours}

## What others write, read by Boathouse
${theirs.join('\n\n')}
${notes.length === 0 ? '' : `\n## Why not\n${notes.map((note, at) => `${at + 1}. ${note}`).join('\n')}\n`}`
}
