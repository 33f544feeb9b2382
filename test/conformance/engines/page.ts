// The results of `matrix.test.ts` as a page.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Results = { version: string; reads: Record<string, string>; isRead: Record<string, string> }
const folder = join(import.meta.dirname, 'results')
const names: Record<string, string> = { pyiceberg: 'PyIceberg', spark: 'Spark', spark_4: 'Spark 4', trino: 'Trino' }

/** Of suites that need more than `make conformance` has: run by hand, unchanged, in November 2026. */
const suites = [
  [
    'PyIceberg 0.12 (`30730987`), `tests/integration` with Spark 4.1.4',
    '1,162',
    '16, none of them ours: a), b), c)',
    '62',
  ],
  ['iceberg-go (`0f08e66e5`), `catalog/rest`', '26', '2: a)', '-'],
  ['iceberg-rust (`e03179f2f`), suites of the REST catalog and of reading', '27', '0', '-'],
  [
    "DuckDB 1.5.5's Iceberg extension (`45163a28`), `catalog_agnostic` and `fixture`",
    '285',
    '16, none of them ours: a), b), d)',
    '20',
  ],
  [
    "Iceberg 1.11.0's tests for Spark 4.1: `CREATE`, `ALTER`, `DROP`, `CREATE … AS`, tags, branches, partition fields, changelogs, `register_table`",
    '143',
    '13: e)',
    '94: e)',
  ],
  [
    'the same with each `CALL` or `ALTER` run by Boathouse: procedures, partition fields, order and distribution, columns',
    '186',
    '12: f)',
    '7',
  ],
  [
    "Iceberg's tests of `DELETE`, `UPDATE` and `MERGE` for Spark 4.1 (`7f879b1136`), each statement run by Boathouse: copy-on-write, positions, vectors",
    '288',
    '114: g)',
    '54: g)',
  ],
]

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
${notes.length === 0 ? '' : `\n## Why not\n${notes.map((note, at) => `${at + 1}. ${note}`).join('\n')}\n`}
## The clients' own test suites
They are written for the reference server without a log-in. Here a proxy of a few lines gave each request its token and our prefix; tables lay in SeaweedFS 3.39.

${table(['suite', 'passed', 'failed', 'left out by itself, or not runnable here'], suites)}

a) They expect the reference server's folders (\`warehouse/namespace/table\`; ours end in a name of their own), its separator of namespaces, or the order in which Java's hash map holds branches; one counts the letters of a path.
b) They expect a later or earlier release of a tool beside them (Spark's answer for UUIDs, DuckDB's Python, the texts of errors in Python), or tables that were not made here (TPC-H), or made in more files than theirs.
c) They need Hive, Daft, or extensions downloaded from DuckDB's host. Tests of Hive were not chosen, and those of Ray could not begin.
d) DuckDB's runner was replaced by one of ours, which does not know all of its patterns; one test of 2,050 commits was stopped after 150 s.
e) Written for several catalogs: each was replaced by ours. Eleven tests then name a session catalog that is not there, or read a table that a REST client does not refresh by itself, one found a table that a stopped run had left, one compares how the client words a name; two classes (metadata tables, views) could not be begun so. Those of version 4 of the format were not chosen.
f) After each statement the rows that Spark and Boathouse read were compared, 365 times: all alike. What failed expects Spark's \`app-id\` in summaries (2), one commit for all groups of a rewrite, manifests of the current spec alone, that \`0=1\` leaves all files out, that numbers and lists without an effect are checked (2), that \`gc.enabled=false\` refuses an expiry which here deletes no file, or a refusal of what is done here (\`NOT NULL\`, defaults, a property: 4).
g) Read from their sources, with \`IS NOT DISTINCT FROM\` for \`<=>\` and without backticks. 38 tests fail in all three ways of writing, or in one: they count a snapshot where nothing changed (5), other delete files where whole files go (4), or write branches (6); or they need Spark itself (data frames, temporary views, \`CACHE\`, \`map('k', 'v')\`, a table of Parquet: 18). Five expect a refusal of what is done here: subqueries in \`MERGE\`, columns that \`INSERT\` leaves out, rows that meet several and are not changed. No rows differ. Left out are those whose Java code has more than statements.

Beyond the tables above, Spark's procedures and DDL, and what Trino can do over REST, were gone through by hand, some 70 statements each: what was refused, they refuse anywhere (\`ANALYZE\` and materialized views in Spark;
materialized views, renamed schemas and grants in Trino).

On one day (2026-11-23) 43 tables that the writers of Iceberg 1.11.0 itself made (deletes by fields inside of structs, of all partitions and in the commit of the rows, vectors behind position deletes of version 2, defaults inside of
lists and maps, partitions by nanoseconds, fields of partitions that were renamed or lost their column, \`variant\`, \`geometry\`, \`unknown\`) were read here as Java reads them, where Java read them: variants it did not there, and of a column that
was dropped it knows no deletes. Two things differ: to Java a struct that is null is another key than one whose field is null, and \`-0.0\` another than \`0.0\`. 29 of them were then changed here (\`DELETE\`, \`INSERT\`, \`MERGE WITH SCHEMA
EVOLUTION\`, \`UPDATE\`, z-order, manifests), and Java read all as we did.

On one day (2026-11-22) all tables of the first list were read through the catalog on the local disk by others, too, and compared with PyIceberg's answers. None gave rows of ours otherwise but for the reasons told:

| engine | read alike | refused or otherwise, and why |
| --- | ---: | --- |
| Polars 2.1, its own reader | 57 of 60 | UUIDs as bytes; nulls where PyIceberg gives empty lists |
| ClickHouse 26.9 (\`chdb\`) | 49 of 60 | no deletion vectors, defaults, \`unknown\`; lists and maps are never null there, times are numbers |
| Sail 0.7 | 51 of 60 | UUIDs as bytes; columns of identity partitions come last; no \`void\` transform, no nanoseconds |
| iceberg-rust (\`pyiceberg-core\` 0.11, DataFusion 54) | 51 of 60 | UUIDs as bytes; no \`unknown\`; \`void\` under a column's name; structs without ids or renamed inside; branches not asked for |
| Daft 0.7 | 47 of 60 | lists as DuckDB marks them (converted type alone); no deletion vectors, name mapping, defaults, widened columns |

What Polars, Daft, ClickHouse (inserts, deletes, updates, a new column) and Sail (inserts, deletes, updates, merges, overwrites) wrote, unpartitioned and in five partitionings, in versions 2 and 3 where they can, was read here alike, and ClickHouse read on after
our own inserts, updates, deletes and compaction of these tables.
`
}
