// The services that a lab beside the project runs (SeaweedFS, Iceberg's REST server, Nessie): started when they are
// installed, and left running.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'

const lab = resolve(import.meta.dirname, '../../../../shared/services/bin/lab')

/** Undefined without a lab; else the variables that say where its services are. */
export async function labServices(...services: string[]): Promise<Record<string, string> | undefined> {
  if (!existsSync(lab)) return undefined
  const run = (...args: string[]) => promisify(execFile)(lab, args, { timeout: 1_800_000 })
  await run('up', ...services)
  const { stdout } = await run('env')
  const pairs = [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [
    name,
    value!.replace(/^'|'$/g, ''),
  ])
  return Object.fromEntries(pairs) as Record<string, string>
}
