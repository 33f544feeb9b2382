// Where the models of a graph stand: columns from left to right by what they read, and within a column beside those
// they are joined to, so that few lines cross. Pure, so that it can be tested.

export type Edge = { from: string; to: string }
export type Placed = { id: string; layer: number; row: number; x: number; y: number }
export type Layout = { nodes: Placed[]; edges: Edge[]; width: number; height: number }

export const boxWidth = 168
export const boxHeight = 26
const [gapX, gapY] = [56, 10]
const sweeps = 4

/** Where a model's page is. A path with a dot would be that of a file. */
export const pathOfModel = (id: string): string => `/models/${encodeURIComponent(id.replaceAll('.', '~'))}`
export const modelOfPath = (part: string): string => decodeURIComponent(part).replaceAll('~', '.')

/** All nodes within `steps` of one, upwards and downwards. */
export function neighbours(focus: string, edges: readonly Edge[], steps: number): Set<string> {
  const found = new Set([focus])
  for (const [near, far] of [
    ['to', 'from'],
    ['from', 'to'],
  ] as const) {
    let frontier = [focus]
    for (let step = 0; step < steps && frontier.length > 0; step++) {
      const next = edges.filter((edge) => frontier.includes(edge[near])).map((edge) => edge[far])
      frontier = [...new Set(next)].filter((id) => !found.has(id))
      for (const id of frontier) found.add(id)
    }
  }
  return found
}

/** `ids` in an order in which parents stand before children. */
export function layoutGraph(ids: readonly string[], all: readonly Edge[]): Layout {
  const shown = new Set(ids)
  const edges = all.filter(({ from, to }) => shown.has(from) && shown.has(to))
  const parents = Map.groupBy(edges, ({ to }) => to)
  const children = Map.groupBy(edges, ({ from }) => from)
  const layerOf = new Map<string, number>()
  for (const id of ids)
    layerOf.set(id, Math.max(0, ...(parents.get(id) ?? []).map(({ from }) => (layerOf.get(from) ?? 0) + 1)))
  // What nothing reads before its first child stands right beside that child.
  for (const id of ids.toReversed()) {
    if (parents.has(id)) continue
    const nearest = Math.min(...(children.get(id) ?? []).map(({ to }) => layerOf.get(to)!))
    if (Number.isFinite(nearest)) layerOf.set(id, nearest - 1)
  }
  const layers: string[][] = []
  for (const id of ids) (layers[layerOf.get(id)!] ??= []).push(id)
  const filled = Array.from(layers, (layer) => layer ?? [])
  const rowOf = new Map<string, number>()
  const number = () => filled.forEach((layer) => layer.forEach((id, row) => rowOf.set(id, row)))
  number()
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const beside = sweep % 2 === 0 ? parents : children
    const end = sweep % 2 === 0 ? 'from' : 'to'
    const middle = (id: string) => {
      const rows = (beside.get(id) ?? []).map((edge) => rowOf.get(edge[end])!)
      return rows.length === 0 ? rowOf.get(id)! : rows.reduce((sum, row) => sum + row, 0) / rows.length
    }
    for (const layer of sweep % 2 === 0 ? filled : filled.toReversed()) {
      const wanted = new Map(layer.map((id) => [id, middle(id)]))
      layer.sort((one, other) => wanted.get(one)! - wanted.get(other)!)
      layer.forEach((id, row) => rowOf.set(id, row))
    }
  }
  const tallest = Math.max(1, ...filled.map((layer) => layer.length))
  const nodes = filled.flatMap((layer, at) => {
    const top = ((tallest - layer.length) * (boxHeight + gapY)) / 2
    return layer.map((id, row) => ({
      id,
      layer: at,
      row,
      x: at * (boxWidth + gapX),
      y: top + row * (boxHeight + gapY),
    }))
  })
  return {
    nodes,
    edges,
    width: Math.max(1, filled.length) * (boxWidth + gapX) - gapX,
    height: tallest * (boxHeight + gapY) - gapY,
  }
}
