// Short forms: `boathouse seed …` is `boathouse dbt seed …`.

import type { Command } from '../../command.ts'
import { verbPage } from './help.ts'
import { flagsOf, runLine } from './index.ts'
import { verbs } from './verbs.ts'

const shortForm = (name: string, verb: string): Command => ({
  name,
  summary: verbs[verb]!.summary,
  takesLine: true,
  help: () => verbPage(verb),
  completes: flagsOf(verb),
  examples: [`boathouse ${name}`],
  run: (context) => runLine(context, [...verb.split(' '), ...context.args]),
})

export const seed = shortForm('seed', 'seed')
export const snapshot = shortForm('snapshot', 'snapshot')
export const show = shortForm('show', 'show')
export const parse = shortForm('parse', 'parse')
export const deps = shortForm('deps', 'deps')
export const docs = shortForm('docs', 'docs generate')
export const sourceFreshness = shortForm('source-freshness', 'source freshness')
