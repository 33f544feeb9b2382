import '../home/lists.css'
import type { Run } from '../../../src/contract/index.ts'

const reasons: Record<Run['trigger']['kind'], string> = {
  manual: 'started by hand',
  schedule: 'by schedule',
  upload: 'after an upload',
  dev: 'after a saved file',
  retry: 'repeated',
}

/** What a run works on and why it started, in a line. */
export function RunFacts({ run }: { run: Run }) {
  const { kind, by, schedule } = run.trigger
  return (
    <span className="run-facts">
      {run.select ?? 'Everything'}
      <span className="run-why quiet">
        {kind === 'schedule' && schedule
          ? `schedule ${schedule}`
          : kind === 'manual' && by
            ? `by ${by}`
            : reasons[kind]}
      </span>
    </span>
  )
}
