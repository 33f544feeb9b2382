// retry: the last command again, for what failed in it or was never tried.

import { readState } from '../../../transform/index.ts'
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../../base/failure.ts'
import { recordOf } from '../../../base/record.ts'
import { execute, type Again } from './build.ts'
import { compile } from './compile.ts'
import { stateFolder, type Session } from './open.ts'
import { runOperation } from './operation.ts'

const commands = ['build', 'compile', 'run', 'test', 'seed', 'snapshot'] as const
const again = new Set(['error', 'fail', 'skipped', 'runtime error', 'partial success'])

export async function retry(session: Session): Promise<number> {
  const { flags, log, context, targetDir } = session
  const dir = flags.text('state') === undefined ? targetDir : stateFolder(session, flags.text('state')!)
  if (!existsSync(join(dir, 'run_results.json')))
    throw new Failure('USAGE', `Could not find previous run in '${relative(context.dir, dir)}' target directory`, {
      hint: 'It is the run_results.json of that command; --state DIR names the folder where it lies.',
    })
  const results = readState(dir, targetDir).results()
  const written: unknown = JSON.parse(readFileSync(join(dir, 'run_results.json'), 'utf8'))
  const args = recordOf(recordOf(written)['args'])
  const command = commands.find((name) => name === args['which'])
  const macro = args['which'] === 'run-operation' ? args['macro'] : undefined
  if (!command && typeof macro !== 'string')
    throw new Failure(
      'USAGE',
      `the last command was ${typeof args['which'] === 'string' ? `dbt ${args['which']}` : 'none of ours'}, which cannot be retried`,
      {
        hint: `Retried are ${[...commands, 'run-operation'].join(', ')}.`,
      },
    )
  // A warning is an error of this command, whatever it was of the last one.
  const isAgain = (status: string) => again.has(status) || (status === 'warn' && flags.is('warn-error'))
  const unfinished = [...results].filter(([, status]) => isAgain(status)).map(([id]) => id)
  // What went well in a run that was not published is nowhere: it is built again. dbt-core's own runs do not say so.
  const isKept = args['published'] !== false
  const ids = isKept ? unfinished : [...results.keys()]
  if (unfinished.length === 0) {
    log.info('Nothing to do: everything of the last command went well.')
    return 0
  }
  flags.inherit(args)
  if (!command) {
    session.verb = 'run-operation'
    session.words = [String(macro)]
    return runOperation(session)
  }
  session.verb = command
  if (command === 'compile') return compile(session, ids)
  // Batches are those of the run that is tried again, not those of today.
  const began = Date.parse(String(recordOf(recordOf(written)['metadata'])['invocation_started_at']))
  return execute(session, command, {
    ids,
    batches: isKept ? batchesOf(written) : {},
    ...(!Number.isNaN(began) && { batchesUntil: began }),
  })
}

/** Of microbatch models of which a part went well. @throws whatever is no run_results.json */
function batchesOf(written: unknown): NonNullable<Again['batches']> {
  const { results } = RunResults.parse(written)
  return Object.fromEntries(
    results.flatMap(({ unique_id: id, batch_results: batches }) =>
      batches && batches.successful.length > 0 && batches.failed.length > 0 ? [[id, batches]] : [],
    ),
  )
}

const Bounds = z.array(z.tuple([z.string(), z.string()])).default([])
const RunResults = z.object({
  results: z.array(
    z.object({
      unique_id: z.string(),
      batch_results: z.object({ successful: Bounds, failed: Bounds }).nullish(),
    }),
  ),
})
