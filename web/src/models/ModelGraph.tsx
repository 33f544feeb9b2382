import { useState } from 'react'
import type { ModelSummary } from '../../../src/contract/index.ts'
import { Link } from '../router.tsx'
import { boxHeight, boxWidth, layoutGraph, pathOfModel, type Edge } from './graph-layout.ts'
import './models.css'

type Props = { models: readonly ModelSummary[]; edges: readonly Edge[]; focus?: string }

/** Models from left to right. The way through the model under the pointer is lit; arrow keys walk along the lines. */
export function ModelGraph({ models, edges, focus }: Props) {
  const [over, setOver] = useState<string | null>(null)
  const byId = new Map(models.map((model) => [model.id, model]))
  const {
    nodes,
    edges: lines,
    width,
    height,
  } = layoutGraph(
    models.map(({ id }) => id),
    edges,
  )
  const at = new Map(nodes.map((node) => [node.id, node]))
  const lit =
    over === null ? null : new Set([over, ...reach(over, lines, 'to', 'from'), ...reach(over, lines, 'from', 'to')])
  const walk = (id: string, key: string): string | undefined => {
    const here = at.get(id)!
    if (key === 'ArrowRight') return lines.find(({ from }) => from === id)?.to
    if (key === 'ArrowLeft') return lines.find(({ to }) => to === id)?.from
    const step = key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0
    return step === 0 ? undefined : nodes.find(({ layer, row }) => layer === here.layer && row === here.row + step)?.id
  }
  return (
    <div className="model-graph" role="group" aria-label={`${models.length} models and what they read, left to right`}>
      <div className="model-canvas" style={{ width, height }}>
        <svg width={width} height={height} aria-hidden>
          {lines.map(({ from, to }) => {
            const [one, other] = [at.get(from)!, at.get(to)!]
            const [x1, y1] = [one.x + boxWidth, one.y + boxHeight / 2]
            const [x2, y2] = [other.x, other.y + boxHeight / 2]
            const bend = Math.max(24, (x2 - x1) / 2)
            const on = lit !== null && lit.has(from) && lit.has(to)
            return (
              <path
                key={`${from} ${to}`}
                className="model-line"
                data-on={on}
                data-faded={lit !== null && !on}
                d={`M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`}
              />
            )
          })}
        </svg>
        {nodes.map(({ id, x, y }) => {
          const model = byId.get(id)!
          return (
            <Link
              key={id}
              to={pathOfModel(id)}
              id={`model-${id}`}
              className="model-box"
              style={{ left: x, top: y, width: boxWidth, height: boxHeight }}
              data-kind={model.kind}
              data-focus={id === focus}
              data-bad={model.problems > 0 || isBad(model.last?.status)}
              data-faded={lit !== null && !lit.has(id)}
              title={`${model.name} (${model.kind === 'model' ? model.materialized : model.kind})`}
              onMouseEnter={() => setOver(id)}
              onMouseLeave={() => setOver(null)}
              onFocus={() => setOver(id)}
              onBlur={() => setOver(null)}
              onKeyDown={(event) => {
                const next = walk(id, event.key)
                if (next === undefined) return
                event.preventDefault()
                document.getElementById(`model-${next}`)?.focus()
              }}
            >
              <span className="model-dot" aria-hidden />
              <span className="cut">{model.name}</span>
            </Link>
          )
        })}
      </div>
    </div>
  )
}

export const isBad = (status: string | undefined): boolean =>
  status === 'error' || status === 'fail' || status === 'runtime error'

function reach(start: string, lines: readonly Edge[], near: 'from' | 'to', far: 'from' | 'to'): Set<string> {
  const found = new Set<string>()
  for (let frontier = [start]; frontier.length > 0;) {
    frontier = lines
      .filter((line) => frontier.includes(line[near]))
      .map((line) => line[far])
      .filter((id) => !found.has(id))
    for (const id of frontier) found.add(id)
  }
  return found
}
