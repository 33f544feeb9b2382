// YAML as dbt reads it: version 1.1 words, and texts that hold Jinja, rendered where they stand.

import { isRecord } from '../../base/record.ts'
import { z } from 'zod'
import { Failure, Failures, type Place } from '../../base/failure.ts'
import { compileTemplate, Float, PyError, toJs, type Globals } from '../../jinja/index.ts'
import { parseYaml, placeIn, type Located, type Outline, type Path } from '../yaml.ts'
import { ParseCache } from './parse-cache.ts'
import { isMapping, timestamp, withoutDates } from './python/yaml-values.ts'

const anything = z.unknown()

/**
 * A file as plain values that remember their places; of a key that stands twice the last one counts. dbt takes the
 * white space off the end of the file, so a block of text that ends there has no last line break. @throws Failures
 */
export function readYamlText(
  file: string,
  written: string,
  onDuplicateKey: (place: Place) => void = () => {},
  cache = new ParseCache(),
): Located<unknown> {
  const text = written.trimEnd()
  let located: Located<unknown> | undefined
  const parse = () => {
    const duplicates: Place[] = []
    let outline: Outline | undefined
    located = parseYaml(file, text, anything, {
      version: '1.1',
      tags: [timestamp],
      onDuplicateKey: (place) => duplicates.push(place),
      onOutline: (found) => (outline = found),
    })
    const value = withoutDates(located.value)
    return { value, duplicates, outline, floats: floatsIn(value) }
  }
  const { value, duplicates, outline, floats } = cache.of('yaml', [file], text, parse)
  for (const path of floats) restoreFloat(value, path)
  for (const place of duplicates) onDuplicateKey(place)
  const parsed = () => located ?? (parse(), located!)
  return {
    value,
    file,
    at: (path, what) => (outline ? placeIn(outline, file, path, what) : parsed().at(path, what)),
    within: (path, inner) => parsed().within(path, inner),
  }
}

/** Where floats stand that JSON would make integers of. */
function floatsIn(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (value instanceof Float) return [path]
  if (Array.isArray(value)) return value.flatMap((each, index) => floatsIn(each, [...path, index]))
  return isRecord(value) ? Object.entries(value).flatMap(([key, each]) => floatsIn(each, [...path, key])) : []
}

function restoreFloat(value: unknown, path: readonly (string | number)[]): void {
  const parent = path.slice(0, -1).reduce<unknown>((found, step) => (found as Record<string, unknown>)[step], value)
  const holder = parent as Record<string, unknown> | undefined
  const last = path.at(-1)
  if (holder && last !== undefined) holder[last] = new Float(Number(holder[last]))
}

const looksRendered = /\{[{%#]/

/** Whether rendering may make anything else of a file's texts: of templates, and of texts that end with a line break (blocks, or quotes over lines). */
export const mayRender = (text: string): boolean => looksRendered.test(text) || /[|>\\]|^\s*['"]/m.test(text)

/**
 * Every text below `value` rendered with Jinja's native types, except where `skip` says so. A failure names the place
 * in the YAML file.
 */
export function renderYaml(
  value: unknown,
  at: (path: Path) => Place,
  globals: Globals,
  skip: (path: Path) => boolean,
  failures: Failure[],
  path: Path = [],
): unknown {
  if (typeof value === 'string') {
    if (skip(path)) return value
    if (!looksRendered.test(value)) return withoutLastBreak(value)
    return renderText(value, at(path), globals, failures)
  }
  if (Array.isArray(value))
    return value.map((each, index) => renderYaml(each, at, globals, skip, failures, [...path, index]))
  // Arguments of tests, which are rendered later.
  if (!isMapping(value) || value instanceof Map) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, renderYaml(each, at, globals, skip, failures, [...path, key])]),
  )
}

/** Jinja takes one line break off the end of a text, be there a template in it or not. */
export const withoutLastBreak = (text: string): string => text.replace(/\r?\n$/, '')

export function renderText(text: string, place: Place, globals: Globals, failures: Failure[]): unknown {
  try {
    return toJs(compileTemplate(text).renderNative(globals))
  } catch (error) {
    if (!(error instanceof Failure) && !(error instanceof PyError)) throw error
    const failure = error instanceof Failure ? error : new Failure('TEMPLATE_FAILED', error.message)
    failures.push(failure.with({ place }))
    return text
  }
}

/** Runs `work`; its Failure or Failures join the list. */
export function gathering<Value>(failures: Failure[], work: () => Value): Value | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof Failures) failures.push(...error.all)
    else if (error instanceof Failure) failures.push(error)
    else throw error
    return undefined
  }
}
