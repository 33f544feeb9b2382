// What became of each node of a build, kept with the durable step that does them all: pages show it while the run goes on,
// and an attempt that was killed leaves it to the next, which does only the rest. Part of the composition root.
//
// A row is a node together with the tests that are judged once it is there. Rows are written in the records after the
// change set has what the node wrote, so a node that is noted as done is done.

import type { PartNews, StepContext } from './orchestrate/index.ts'
import { isBad, type NodeResult, type Plan, type Step } from './transform/index.ts'

type Output = {
  result: NodeResult | null
  judged: NodeResult[]
  /** The project that it was made of, and the metadata file of the table that it left. */
  project: string
  left: string | null
  tests: TestLine[]
  rows: number | null
}
type TestLine = { name: string; status: string; failures: number | null; message: string; sql: string | null }

const gatheredMs = 25

export type NodeJournal = {
  /** What an earlier attempt of the step has done. */
  done: ReadonlyMap<string, NodeResult>
  /** Metadata files of the tables that it left, by unique id. */
  left: ReadonlyMap<string, string>
  started(step: Step): void
  /** It will be written down, in order. `left`: the metadata file of the table that the node wrote. */
  ended(result: NodeResult, left: string | undefined): Promise<void>
  /** When all that was begun is written down. */
  settled(): Promise<void>
}

/** `project`: tells versions of it apart; what was made of another one is not done. */
export async function openNodeJournal(plan: Plan, context: StepContext, project: string): Promise<NodeJournal> {
  const all = [...plan.start, ...plan.steps, ...plan.end]
  const rowOf = rowsOf(all)
  const rows = all.filter(({ node }) => rowOf.get(node) === node)
  const toId = (node: string) => `${plan.command}:${node}`
  await context.nameParts(
    rows.map(({ node, kind, table, name, after }) => ({
      id: toId(node),
      kind: table === null ? kind : 'build',
      asset: table === null ? name : table.split('.').slice(-2).join('.'),
      dependsOn: [...new Set(after.map((one) => rowOf.get(one)!))].filter((one) => one !== node).map(toId),
    })),
  )
  const outputs = new Map<string, Output>()
  const done = new Map<string, NodeResult>()
  const left = new Map<string, string>()
  for (const { id, output } of await context.parts()) {
    const known = output as Output | null
    if (known?.project !== project) continue
    const row = id.slice(plan.command.length + 1)
    // What went wrong before is tried again; what was skipped may be possible now.
    const result = known.result && isWell(known.result) ? known.result : null
    const judged = known.judged.filter(isWell)
    outputs.set(row, outputOf(result, judged, project, known.left))
    for (const one of [...(result ? [result] : []), ...judged]) done.set(one.uniqueId, one)
    if (result && known.left !== null) left.set(row, known.left)
  }
  let news: PartNews[] = []
  let timer: NodeJS.Timeout | undefined
  let telling: Promise<void> = Promise.resolve()
  const write = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    telling = telling.then(async () => {
      const now = news
      news = []
      if (now.length > 0) await context.tellParts(now)
    })
    telling.catch(() => {}) // whoever tells next, or waits for all, is told
    return telling
  }
  // What comes within a moment is written together. Nobody waits for it: all is written in the order in which it was told,
  // so what is noted as done stands on nothing that is not.
  const tell = async (one: PartNews): Promise<void> => {
    news.push(one)
    timer ??= setTimeout(write, gatheredMs)
    await telling
  }
  return {
    done,
    left,
    started: ({ node }) => {
      if (rowOf.get(node) === node) tell({ id: toId(node), status: 'running' }).catch(() => {}) // `ended` meets it too
    },
    ended: (result, location) => {
      const row = rowOf.get(result.uniqueId)!
      const before = outputs.get(row) ?? outputOf(null, [], project, null)
      const others = before.judged.filter(({ uniqueId }) => uniqueId !== result.uniqueId)
      const output =
        row === result.uniqueId
          ? outputOf(result, before.judged, project, location ?? null)
          : outputOf(before.result, [...others, result], project, before.left)
      outputs.set(row, output)
      const failed = [...(output.result ? [output.result] : []), ...output.judged].find(isBad)
      return tell({
        id: toId(row),
        status: failed ? 'failed' : output.result?.status === 'skipped' ? 'skipped' : 'succeeded',
        output,
        ...(failed && { failure: problemOf(failed) }),
      })
    },
    settled: write,
  }
}

const isWell = (result: NodeResult) => !isBad(result) && result.status !== 'skipped'

/** In which row each step is told: a test with the last node that it reads, unless that is not part of the plan. */
function rowsOf(all: readonly Step[]): Map<string, string> {
  const position = new Map(all.map(({ node }, index) => [node, index]))
  const isTable = new Set(all.flatMap(({ node, table }) => (table === null ? [] : [node])))
  return new Map(
    all.map(({ node, kind, after }) => {
      const read = kind === 'test' ? after.filter((one) => isTable.has(one)) : []
      return [node, read.toSorted((a, b) => position.get(a)! - position.get(b)!).at(-1) ?? node]
    }),
  )
}

function outputOf(result: NodeResult | null, judged: NodeResult[], project: string, left: string | null): Output {
  const isTest = result?.kind === 'test' || result?.kind === 'unit_test'
  const tests = [...(isTest ? [result] : []), ...judged].map(
    ({ name, status, failures, message, compiledSql, place }) => ({
      name,
      status: status === 'success' ? 'pass' : status,
      failures: failures ?? null,
      message,
      sql: compiledSql ?? null,
      ...(place ? { place } : {}),
    }),
  )
  return { result, judged, project, left, tests, rows: result?.rows ?? null }
}

const problemOf = ({ code, message, hint, place, name, kind, status }: NodeResult) => ({
  code: code ?? (status === 'fail' ? 'TEST_FAILED' : 'MODEL_INVALID'),
  message: kind === 'test' ? `${message} in the test ${name}` : message,
  hint: hint ?? '',
  ...(place ? { place } : {}),
})
