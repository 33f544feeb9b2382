// The services that a lab beside the project runs (SeaweedFS, Iceberg's REST server, Nessie): started when they are
// installed, and left running.

import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const lab = resolve(import.meta.dirname, '../../../../shared/services/bin/lab')

export const runLab = (...args: string[]) => promisify(execFile)(lab, args, { timeout: 1_800_000 })

/** Where its services are, whether they run or not. */
export async function labVariables(): Promise<Record<string, string>> {
  const { stdout } = await runLab('env')
  const pairs = [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [
    name,
    value!.replace(/^'|'$/g, ''),
  ])
  return Object.fromEntries(pairs) as Record<string, string>
}

/** Undefined without a lab; else the variables that say where its services are. */
export async function labServices(...services: string[]): Promise<Record<string, string> | undefined> {
  if (!existsSync(lab)) return undefined
  await runLab('up', ...services)
  return labVariables()
}

/** The program `java` of a JDK of at least this version. */
export function findJava(versionMin: number): string {
  const root = '/usr/lib/jvm'
  const versionOf = (home: string) => {
    const file = join(home, 'release')
    return existsSync(file) ? Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1]) : 0
  }
  const installed = existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : []
  const home = process.env['LAB_JAVA_HOME'] ?? installed.find((path) => versionOf(path) >= versionMin)
  if (home === undefined) throw new Error(`a JDK of version ${versionMin} or newer is needed; set LAB_JAVA_HOME`)
  return join(home, 'bin/java')
}
