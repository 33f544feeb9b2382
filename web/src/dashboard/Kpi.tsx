import { ArrowDown, ArrowRight, ArrowUp } from 'lucide-react'
import type { KpiPanel, PanelRows } from '../../../src/contract/index.ts'
import { Sparkline } from '../chart/Sparkline.tsx'
import { formatValue, toNumber } from '../value/format.ts'
import { rangeText } from './periods.ts'

/** One number, how it moved, and the shape of its way there. */
export function Kpi({ panel, data }: { panel: KpiPanel; data: PanelRows }) {
  const at = data.columns.findIndex(({ name }) => name === panel.value.column)
  const value = data.rows[0]?.[at] ?? null
  return (
    <div className="kpi">
      <span className="kpi-value" title={formatValue(value, panel.value.format, { compact: false })}>
        {formatValue(value, panel.value.format)}
      </span>
      {(panel.sparkline || panel.comparison !== 'none') && (
        <div className="kpi-foot">
          {panel.comparison !== 'none' && data.comparison && (
            <Delta panel={panel} value={value} before={data.comparison} />
          )}
          {panel.sparkline && data.sparkline && <Sparkline points={data.sparkline.points} />}
        </div>
      )}
    </div>
  )
}

function Delta({
  panel,
  value,
  before,
}: {
  panel: KpiPanel
  value: unknown
  before: NonNullable<PanelRows['comparison']>
}) {
  const change = toNumber(value) / toNumber(before.value) - 1
  // Which year it was stands in the title when both ends share it: the line is short.
  const sameYear = before.from.slice(0, 4) === before.to.slice(0, 4)
  const period = `vs ${sameYear ? rangeText(before).replace(/ \d{4}$/, '') : rangeText(before)}`
  if (!Number.isFinite(change))
    return (
      <p className="delta quiet" title={`${formatValue(before.value, panel.value.format)} in ${rangeText(before)}`}>
        no earlier value
      </p>
    )
  const direction = Math.abs(change) < 0.0005 ? 'same' : change > 0 ? 'up' : 'down'
  const tone =
    direction === 'same' || panel.better === 'neither' ? 'quiet' : direction === panel.better ? 'good' : 'bad'
  const Icon = { up: ArrowUp, down: ArrowDown, same: ArrowRight }[direction]
  const text = `${(Math.abs(change) * 100).toFixed(Math.abs(change) < 0.1 ? 1 : 0)}%`
  return (
    <p
      className={`delta ${tone}`}
      title={`${formatValue(before.value, panel.value.format, { compact: false })} in ${rangeText(before)}`}
    >
      <Icon size={13} strokeWidth={2.25} aria-hidden />
      <span>
        <span className="unseen">{{ up: 'up ', down: 'down ', same: 'unchanged, ' }[direction]}</span>
        {text}
      </span>
      <span className="delta-period cut" title={period}>
        {period}
      </span>
    </p>
  )
}
