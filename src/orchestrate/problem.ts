import { asFailure, Failure, Failures } from '../base/failure.ts'
import type { Problem } from './types.ts'

export type CleanText = (text: string) => string

/** What people see of a failure. `clean` hides secrets that an error's text may carry. */
export function toProblem(error: unknown, clean: CleanText): Problem {
  const failure = asFailure(error)
  const { code, place, hint } = failure
  const all = failure instanceof Failures ? { all: failure.all.map((one) => toProblem(one, clean)) } : {}
  return { code, message: clean(failure.message), ...(place ? { place } : {}), hint, ...all }
}

export function fromProblem({ code, message, place, hint }: Problem): Failure {
  return new Failure(code, message, { hint, ...(place ? { place } : {}) })
}
