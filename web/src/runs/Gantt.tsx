// A run at a glance: one line per step, bars on one axis of time, state by colour, picture and word.

import type { RunDetail } from '../../../src/contract/index.ts'
import { Status } from '../parts/parts.tsx'
import { formatDuration, plural } from '../value/format.ts'
import { ganttLayout } from './gantt-layout.ts'

type Props = { run: RunDetail; now: number; chosen: string | null; onChoose: (step: string) => void }
export function Gantt({ run, now, chosen, onChoose }: Props) {
  const { bars, ticks } = ganttLayout(run.steps, run.startedAt, run.endedAt ? Date.parse(run.endedAt) : now)
  const needed = chosen ? new Set(run.steps.find(({ id }) => id === chosen)?.dependsOn) : null
  return (
    <div className="gantt" role="list">
      <div className="gantt-axis" aria-hidden>
        {ticks.map(({ at, ms }) => (
          <span key={ms} style={{ left: `${100 * at}%` }}>
            {ms === 0 ? '0' : formatDuration(ms).replace('.0', '')}
          </span>
        ))}
      </div>
      {bars.map(({ step, left, width, ms, attempts }) => {
        const failedTests =
          step.result?.tests.filter(({ status }) => status === 'fail' || status === 'error').length ?? 0
        const rows = step.result?.rowsWritten
        return (
          <div
            key={step.id}
            role="listitem"
            className="gantt-row"
            data-chosen={step.id === chosen}
            data-faded={needed !== null && step.id !== chosen && !needed.has(step.id)}
          >
            <button
              type="button"
              className="gantt-name"
              aria-expanded={step.id === chosen}
              onClick={() => onChoose(step.id)}
            >
              <Status status={step.status} bare />
              <span className="gantt-kind">{step.kind}</span>
              <span className="cut">{step.asset ?? ''}</span>
            </button>
            <div className="gantt-track" aria-hidden>
              {ticks.map(({ at, ms }) => (
                <i key={ms} style={{ left: `${100 * at}%` }} />
              ))}
              {attempts.map((attempt, index) => (
                <span
                  key={index}
                  className="gantt-bar failed ghost"
                  style={{ left: `${100 * attempt.left}%`, width: `${100 * attempt.width}%` }}
                />
              ))}
              {ms !== null && (
                <span
                  className={`gantt-bar ${step.status}`}
                  style={{ left: `${100 * left}%`, width: `max(3px, ${100 * width}%)` }}
                />
              )}
            </div>
            <span className="gantt-facts">
              {failedTests > 0 ? (
                <span className="bad-text">{plural(failedTests, 'test')} failed</span>
              ) : rows !== null && rows !== undefined ? (
                plural(rows, 'row')
              ) : step.result && step.result.tests.length > 0 ? (
                `${plural(step.result.tests.length, 'test')} passed`
              ) : (
                ''
              )}
            </span>
            <span className="gantt-time">{ms === null ? '' : formatDuration(ms)}</span>
          </div>
        )
      })}
    </div>
  )
}
