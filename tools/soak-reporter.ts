// Keeps docs/reference/soak.md when soak tests have run: what held, how long it took, and the figures that a test left in its
// `meta.figures`. A run of some of the tests puts its lines in place of theirs; the others stay, with when they ran.

import { readFile, writeFile } from 'node:fs/promises'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { circumstances } from '../bench/measure.ts'

const page = new URL('../docs/reference/soak.md', import.meta.url)
/** What follows was written by hand. */
const notes = '\n## Notes\n'

export default class SoakReporter implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    // At reduced length it shows that the tests run, not what they prove.
    if (!process.env.SOAK) return
    const when = circumstances()
    const ranIn = (module: TestModule) =>
      [...module.children.allTests()].filter((test) => test.result().state !== 'skipped')
    const ran = modules.flatMap(ranIn)
    const figures = ran.flatMap((test) =>
      Object.entries((test.meta() as { figures?: Record<string, string | number> }).figures ?? {}),
    )
    const broken = modules.flatMap((module) =>
      module.errors().map(({ message }) => [module.relativeModuleId, `failed: ${message}`, '', when]),
    )
    const text = await readFile(page, 'utf8').catch(() => '')
    // A file that could not be run has a line of its own, until it can be.
    const files = new Set(modules.map(({ relativeModuleId }) => relativeModuleId))
    const known = rowsOf(text, 4).filter(([name]) => !files.has(name!))
    const lines = [
      '# Soak',
      '',
      'What `make soak` found at full length; each line says when it ran last.',
      '',
      '| test | result | time | when |',
      '| --- | --- | ---: | --- |',
      ...merged(known, [
        ...modules.flatMap((module) => rowsFor(module.relativeModuleId, ranIn(module), when)),
        ...broken,
      ]),
      '',
      '| figure | | when |',
      '| --- | --- | --- |',
      ...merged(
        rowsOf(text, 3),
        figures.map(([name, value]) => [name, String(value), when]),
      ),
      '',
    ]
    const at = text.indexOf(notes)
    await writeFile(page, lines.join('\n') + (at < 0 ? '' : text.slice(at)))
  }
}

/** One for each test; of a long table one for its file. */
function rowsFor(file: string, ran: readonly TestCase[], when: string): string[][] {
  const time = (tests: readonly TestCase[]) =>
    minutes(tests.reduce((sum, test) => sum + (test.diagnostic()?.duration ?? 0), 0))
  if (ran.length <= testsMax) return ran.map((test) => [test.fullName, test.result().state, time([test]), when])
  const failed = ran.filter((test) => test.result().state === 'failed').length
  return [[file, failed > 0 ? `failed: ${failed} of ${ran.length}` : `passed: all ${ran.length}`, time(ran), when]]
}
const testsMax = 20

/** The lines of the table with so many columns, before the notes. */
const rowsOf = (text: string, width: number): string[][] =>
  text
    .split(notes)[0]!
    .split('\n')
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .filter((cells) => cells.length === width && !/^ (test|figure|---) $/.test(cells[0]!))
    .map((cells) => cells.map((one) => one.trim().replaceAll('\\|', '|')))

function merged(known: readonly string[][], found: readonly string[][]): string[] {
  const rows = new Map([...known, ...found].map((row) => [row[0]!, row]))
  return [...rows.values()].map((row) => `| ${row.map(cell).join(' | ')} |`)
}

const cell = (text: string) => text.replaceAll('\n', ' ').replaceAll('|', '\\|')

const minutes = (ms: number) => (ms < 60_000 ? `${(ms / 1000).toFixed(0)} s` : `${(ms / 60_000).toFixed(1)} min`)
