// How commands that look at the dbt project read it: with which variables, for which target of its profile.

import type { ProjectReading } from '../insight.ts'
import type { Flags } from '../command.ts'
import { mappingOf } from './dbt/flags.ts'

export const reading = {
  vars: { type: 'string', value: 'YAML', about: 'Variables, over those of dbt_project.yml: "{start: 2024-01-01}".' },
  target: {
    type: 'string',
    value: 'NAME',
    about: 'The target of the profile that templates see; the environment stays that of --env.',
  },
} as const

/** @throws USAGE for --vars that is no mapping */
export function readingOf(flags: Flags): ProjectReading {
  const [vars, target] = [flags.text('vars'), flags.text('target')]
  return {
    ...(vars !== undefined && { vars: mappingOf('--vars', vars) }),
    ...(target !== undefined && { target: { name: target } }),
  }
}
