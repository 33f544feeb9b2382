// Python's rules for matching arguments to parameters, for everything that is built in.

import { typeError, type Kwargs } from './values.ts'

/**
 * Arguments in the order of `parameters`; a trailing `?` marks an optional one, which comes back undefined when it
 * is not given. Fails as Python does for too many, unknown, doubled or missing ones.
 */
export function bind(
  callee: string,
  parameters: readonly string[],
  args: readonly unknown[],
  kwargs: Kwargs,
): unknown[] {
  if (args.length > parameters.length) {
    throw typeError(`${callee}() takes at most ${parameters.length} arguments (${args.length} given)`)
  }
  const bound: unknown[] = Array.from(parameters, (_, index) => args[index])
  for (const name in kwargs) {
    const index = parameters.findIndex((parameter) => parameter === name || parameter === `${name}?`)
    if (index < 0) throw typeError(`${callee}() got an unexpected keyword argument '${name}'`)
    if (bound[index] !== undefined) throw typeError(`${callee}() got multiple values for argument '${name}'`)
    bound[index] = kwargs[name]
  }
  const missing = parameters.find((parameter, index) => bound[index] === undefined && !parameter.endsWith('?'))
  if (missing) throw typeError(`${callee}() missing required argument '${missing}'`)
  return bound
}
