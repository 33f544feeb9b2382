// A Failure is the world's fault and is handled; a Bug is ours and stops the work.

export class Bug extends Error {}

export function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new Bug(`broken invariant: ${invariant}`)
}

/** For values that can only be missing by a mistake of ours. */
export function must<Value>(value: Value | null | undefined, invariant: string): Value {
  if (value === null || value === undefined) throw new Bug(`broken invariant: ${invariant}`)
  return value
}

export function unreachable(value: never): never {
  throw new Bug(`unexpected ${JSON.stringify(value)}`)
}
