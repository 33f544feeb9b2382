/** As what it was made of, and closed also where it was never begun: a generator's own `finally` does not come then. */
export type Ending<Item> = AsyncIterableIterator<Item, undefined> & {
  return(): Promise<IteratorResult<Item, undefined>>
}

/** As `items`; `end` comes once: behind the last, with an error, or when nobody wants more. */
export function ending<Item>(items: AsyncIterable<Item>, end: (error?: unknown) => void | Promise<void>): Ending<Item> {
  const all = items[Symbol.asyncIterator]()
  let over: Promise<void> | undefined
  const finish = (error?: unknown) => (over ??= (async () => end(error))())
  return {
    async next() {
      const step = await all.next().catch(async (error: unknown) => {
        await finish(error)
        throw error
      })
      if (!step.done) return step
      await finish()
      return { done: true, value: undefined }
    },
    async return() {
      await all.return?.()
      await finish()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
