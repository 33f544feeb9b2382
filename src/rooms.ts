// The page `src/README.md`, printed from the table of rooms.

import { layers } from './layers.ts'

export function roomsPage(): string {
  const rows = Object.entries(layers).map(
    ([name, { does, uses, parts = {} }]) =>
      `| [${name}](${name}/README.md) | ${does} | ${[
        uses.length > 0 ? uses.join(', ') : '-',
        ...Object.entries(parts).map(([part, more]) => `\`${part}\` also ${more.join(', ')}`),
      ].join('; ')} |`,
  )
  return `# The rooms

Printed from \`layers.ts\`; \`test/tidy.test.ts\` holds the code to it. Data flows from left to right, and a room may
import only rooms above it in the table.

\`\`\`
 sources ──ingest──▶ raw.* ──transform──▶ staging.* marts.* ──semantic──▶ dashboards · SQL clients
                       └──────────────── lake (SQL in, rows and commits out) ────────────────┘
                                     iceberg on storage, named by a catalog
\`\`\`

| room | what it does | may use |
| --- | --- | --- |
${rows.join('\n')}

The files beside the rooms are the composition root, which knows every room: \`main.ts\` opens a project; \`pipeline.ts\`,
\`models.ts\`, \`scheduling.ts\`, \`serving.ts\` and \`dev.ts\` are the parts of it where rooms meet that know nothing of each other;
\`boathouse.ts\` is what is started: it loads \`program.ts\`, from the sources, or from \`dist/\` when that was made of just these
(\`make build\`; a command then starts in a fraction of the time). So a module does nothing when it is loaded but define.

## The path of a query

\`serve\` or \`cli\` → \`lake.query\`: the planning host parses the text, the tree is checked against the allow-list, names are
resolved by \`catalog\`, rights by \`govern\`, \`iceberg\` plans the scan with the conditions that DuckDB's optimiser pushed down,
and an \`engine\` host runs the text over the files that survived. Chunks come back encoded and go out as they are.

## The path of a run

\`orchestrate\` claims it and calls one step after the other: \`ingest\` and \`transform\` write tables into the run's change set
(files, then a metadata file that no pointer names), tests read through it, and \`publish\` swaps all pointers in one
transaction of \`records\`.
`
}
