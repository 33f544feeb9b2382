// Reads a folder of YAML files. A broken file is a failure in the answer, not the end: the other files still count.

import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { Failure, Failures, type FailureCode } from '../base/failure.ts'
import { parseYaml, type Located } from './yaml.ts'

export type Read<Value> = { items: Located<Value>[]; failures: Failure[] }

/** The items, when nothing was wrong. @throws Failures with every mistake */
export function orThrow<Value>({ items, failures }: Read<Value>): Located<Value>[] {
  if (failures.length > 0) throw new Failures(failures)
  return items
}

/** All `*.yml` and `*.yaml` below `folder` of the project; a folder that does not exist holds nothing. */
export async function readFolder<Schema extends z.ZodType>(
  dir: string,
  folder: string,
  schema: Schema,
  code: FailureCode,
): Promise<Read<z.output<Schema>>> {
  const found = await Array.fromAsync(glob(`${folder}/**/*.{yml,yaml}`, { cwd: dir }))
  const files = found.map((file) => file.replaceAll('\\', '/')).sort()
  return gather(await Promise.all(files.map((file) => readYaml(dir, file, schema, code))))
}

/** One file; a file that does not exist holds nothing. */
export async function readYaml<Schema extends z.ZodType>(
  dir: string,
  file: string,
  schema: Schema,
  code: FailureCode,
): Promise<Read<z.output<Schema>>> {
  try {
    return { items: [parseYaml(file, await readFile(join(dir, file), 'utf8'), schema, { code })], failures: [] }
  } catch (error) {
    if (error instanceof Failures) return { items: [], failures: [...error.all] }
    if (error instanceof Failure) return { items: [], failures: [error] }
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { items: [], failures: [] }
    const message = error instanceof Error ? error.message : String(error)
    return { items: [], failures: [new Failure(code, `cannot be read: ${message}`, { place: { file }, cause: error })] }
  }
}

export const gather = <Value>(reads: Read<Value>[]): Read<Value> => ({
  items: reads.flatMap(({ items }) => items),
  failures: reads.flatMap(({ failures }) => failures),
})

/** Keeps the first of each name; every later one becomes a failure that says where the first is. */
export function uniqueNames<Value extends { name: string }>(
  read: Read<Value>,
  noun: string,
  code: FailureCode,
): Read<Value> {
  const first = new Map<string, Located<Value>>()
  const failures: Failure[] = []
  for (const item of read.items) {
    const other = first.get(item.value.name)
    if (!other) first.set(item.value.name, item)
    else
      failures.push(
        new Failure(code, `the ${noun} "${item.value.name}" is already defined in ${other.file}`, {
          place: item.at(['name']),
        }),
      )
  }
  return { items: [...first.values()], failures: [...read.failures, ...failures] }
}

/** `metrics/finance/sales.yml` is `sales`. */
export const stemOf = (file: string): string => file.replace(/^.*\//, '').replace(/\.ya?ml$/, '')
