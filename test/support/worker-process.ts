// A worker in a process of its own, for tests that kill it. Its steps append a line to a file when they are done.
// Arguments: the place of the records as JSON, the file, ms that a step takes.

import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openOrchestrator } from '../../src/orchestrate/index.ts'
import { openRecords } from '../../src/records/index.ts'

const [place, file, stepMs] = process.argv.slice(2)
const records = await openRecords(JSON.parse(place!) as Parameters<typeof openRecords>[0])
const orchestrator = openOrchestrator({
  records,
  steps: {
    mark: async (_, { stepId, attempt, log }) => {
      await sleep(Number(stepMs))
      log.info('marking')
      appendFileSync(file!, `${stepId} ${attempt}\n`)
      return { attempt }
    },
  },
})
await orchestrator.startWorker({ workerId: `worker-${process.pid}`, concurrency: 2 })
