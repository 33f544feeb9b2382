/** At most `count` holders at a time; the others wait in the order they came. */
export type Semaphore = { acquire(signal?: AbortSignal): Promise<AsyncDisposable> }

export function openSemaphore(count: number): Semaphore {
  let free = count
  const waiting = new Set<() => void>()
  const release = () => {
    const [next] = waiting
    if (!next) free++
    else {
      waiting.delete(next)
      next()
    }
  }
  return {
    async acquire(signal) {
      signal?.throwIfAborted()
      if (free > 0) free--
      else await queue(signal)
      return { [Symbol.asyncDispose]: async () => release() }
    },
  }

  function queue(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const granted = () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    const onAbort = () => {
      waiting.delete(granted)
      reject(signal?.reason as Error)
    }
    waiting.add(granted)
    signal?.addEventListener('abort', onAbort, { once: true })
    return promise
  }
}
