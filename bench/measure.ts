// Measures things side by side: in each round every case once, one after the other, so that whatever else the machine
// does falls on all of them alike. Compare medians, and mind the spread.

import { execFileSync } from 'node:child_process'
import { availableParallelism, loadavg, totalmem } from 'node:os'

export type Case = {
  name: string
  /** Not measured. */
  prepare?: () => Promise<unknown>
  /** Answers figures of its own by name, or nothing: then it is the time that it took, in milliseconds. */
  run: () => Promise<Record<string, number> | void>
}

/** Samples by case, or by `case: figure`, in the order of the rounds. */
export type Samples = Map<string, number[]>

/** `warmUp` puts a round before the others that does not count: what is made once only (compiled code) is then there. */
export async function measure(
  cases: readonly Case[],
  { rounds, warmUp = false }: { rounds: number; warmUp?: boolean },
): Promise<Samples> {
  const samples: Samples = new Map()
  const add = (name: string, value: number) => samples.set(name, [...(samples.get(name) ?? []), value])
  for (let round = warmUp ? 0 : 1; round <= rounds; round++)
    for (const { name, prepare, run } of cases) {
      await prepare?.()
      const started = performance.now()
      const figures = await run()
      const ms = performance.now() - started
      process.stderr.write(`round ${round}/${rounds}  ${name}  ${(ms / 1000).toFixed(2)} s\n`)
      if (round === 0) continue
      if (!figures) add(name, ms)
      else for (const [figure, value] of Object.entries(figures)) add(`${name}: ${figure}`, value)
    }
  return samples
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
export const milliseconds = (ms: number): string => `${ms.toFixed(0)} ms`
export const tenths = (ms: number): string => `${ms.toFixed(1)} ms`
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
export const kilobytes = (bytes: number): string => `${(bytes / 1e3).toFixed(1)} kB`

/** Lines of a Markdown table: smallest, median and largest of each name. */
export function table(
  samples: Samples,
  rows: readonly { name: string; title?: string; show: (value: number) => string }[],
): string[] {
  return [
    '| | min | median | max |',
    '| --- | ---: | ---: | ---: |',
    ...rows.map(({ name, title = name, show }) => {
      const values = samples.get(name)!
      return `| ${title} | ${show(Math.min(...values))} | ${show(median(values))} | ${show(Math.max(...values))} |`
    }),
  ]
}

/** How often `one` fits into `other`, by their medians: above 1, `one` is the smaller. */
export const ratio = (samples: Samples, one: string, other: string): number =>
  median(samples.get(other)!) / median(samples.get(one)!)

/** The same round by round, then the median: what else the machine does falls on both of a round alike. */
export const ratioByRounds = (samples: Samples, one: string, other: string): number =>
  median(samples.get(other)!.map((value, round) => value / samples.get(one)![round]!))

/** The smallest value that is not below `part` of all: 0.99 for the 99th percentile. */
export const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]!

/** Where and when, for the head of a page of figures. */
export function circumstances(): string {
  const machine = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, Node ${process.versions.node}`
  return `${new Date().toISOString().slice(0, 10)}, ${commit()}, ${machine}`
}

/** `commit 1a2b3c4`, and whether there is more. */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'web/src') !== ''
    return `commit ${git('rev-parse', '--short', 'HEAD')}${changed ? ' and changes that are not committed' : ''}`
  } catch {
    return 'outside a git repository'
  }
}

/** Processes that wanted a processor in the last minute, on average. */
export const machineLoad = (): number => loadavg()[0]!
