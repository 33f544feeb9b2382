// Where the bars of a run stand. Pure.

import type { Step } from '../../../src/contract/index.ts'

export type Bar = {
  step: Step
  depth: number
  left: number
  width: number
  ms: number | null
  attempts: { left: number; width: number }[]
}
export type Layout = { bars: Bar[]; totalMs: number; ticks: { at: number; ms: number }[] }

const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500]
  .flatMap((ms) => [ms, ms * 1_000])
  .concat([60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600].map((s) => s * 1_000))
  .sort((a, b) => a - b)

/** Steps in the order they started, waiting ones by what they wait for; shares of the whole run's time in 0..1. */
export function ganttLayout(all: readonly Step[], runStartedAt: string | null, now: number): Layout {
  const depths = depthsOf(all)
  const start = Math.min(
    ...all.flatMap(({ startedAt }) => (startedAt ? [Date.parse(startedAt)] : [])),
    runStartedAt ? Date.parse(runStartedAt) : now,
  )
  const end = Math.max(
    ...all.map(({ startedAt, endedAt }) => (endedAt ? Date.parse(endedAt) : startedAt ? now : start)),
    start + 1,
  )
  const totalMs = end - start
  const share = (at: number) => (at - start) / totalMs
  const sorted = [...all].sort(
    (a, b) =>
      (a.startedAt ? Date.parse(a.startedAt) : Infinity) - (b.startedAt ? Date.parse(b.startedAt) : Infinity) ||
      depths.get(a.id)! - depths.get(b.id)! ||
      0,
  )
  const bars = sorted.map((step): Bar => {
    const from = step.startedAt ? Date.parse(step.startedAt) : null
    const to = step.endedAt ? Date.parse(step.endedAt) : now
    return {
      step,
      depth: depths.get(step.id)!,
      left: from === null ? 0 : share(from),
      width: from === null ? 0 : Math.max(0, (to - from) / totalMs),
      ms: from === null ? null : to - from,
      attempts: step.attempts.slice(0, -1).map(({ startedAt, endedAt }) => ({
        left: share(Date.parse(startedAt)),
        width: (Date.parse(endedAt ?? step.endedAt ?? startedAt) - Date.parse(startedAt)) / totalMs,
      })),
    }
  })
  const every = steps.find((ms) => totalMs / ms <= 6) ?? totalMs / 4
  const ticks = Array.from({ length: Math.floor(totalMs / every) + 1 }, (_, index) => ({
    at: (index * every) / totalMs,
    ms: index * every,
  }))
  return { bars, totalMs, ticks }
}

function depthsOf(all: readonly Step[]): Map<string, number> {
  const byId = new Map(all.map((step) => [step.id, step]))
  const depths = new Map<string, number>()
  const depth = (id: string, path: ReadonlySet<string>): number => {
    const known = depths.get(id)
    if (known !== undefined) return known
    if (path.has(id)) return 0
    const found =
      1 +
      Math.max(
        -1,
        ...(byId.get(id)?.dependsOn ?? [])
          .filter((other) => byId.has(other))
          .map((other) => depth(other, new Set([...path, id]))),
      )
    depths.set(id, found)
    return found
  }
  for (const { id } of all) depth(id, new Set())
  return depths
}
