// Wakes those who wait: a worker for work, a watcher for news. A wake-up carries no data and may be lost or doubled,
// because the truth is in the records and everybody looks there again after a while. So Redis, which carries
// wake-ups between processes, may come and go: without it things are slower by one poll, and nothing else.

import { createClient } from 'redis'
import type { Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'

/** `queue`: there may be a run to take or to cancel. `journal`: there are new log lines. */
export type Topic = 'queue' | 'journal'

export type Bus = {
  wake(topic: Topic): void
  /** Resolves at the next wake-up of the topic or after `ms`, and at once when the signal is aborted. */
  wait(topic: Topic, ms: number, signal: AbortSignal): Promise<void>
  /** Really asks Redis: `off` when none is configured. */
  redis(): Promise<'off' | 'ok' | 'down'>
  /** True while wake-ups come from other processes too, so that polling may be rare. */
  readonly remote: boolean
  close(): Promise<void>
}

type Options = { clock: Clock; log: Log; redisUrl: string | undefined; channel: string }

export function openBus({ clock, log, redisUrl, channel }: Options): Bus {
  const waiters: Record<Topic, Set<() => void>> = { queue: new Set(), journal: new Set() }
  const wakeHere = (topic: Topic) => {
    for (const waiter of waiters[topic]) waiter()
  }
  const remote = redisUrl ? openRemote({ url: redisUrl, channel, log, onWake: wakeHere }) : undefined
  return {
    wake: (topic) => {
      wakeHere(topic)
      remote?.publish(topic)
    },
    wait: (topic, ms, signal) => wait(waiters[topic], clock, ms, signal),
    redis: () => remote?.check() ?? Promise.resolve('off' as const),
    get remote() {
      return remote?.isReady() ?? false
    },
    close: async () => remote?.close(),
  }
}

async function wait(waiters: Set<() => void>, clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = new AbortController()
  waiters.add(resolve)
  try {
    const slept = clock.sleep(ms, AbortSignal.any([signal, done.signal])).catch(() => {})
    await Promise.race([promise, slept])
  } finally {
    waiters.delete(resolve)
    done.abort()
  }
}

const [reconnectMsMin, reconnectMsMax, pingMsMax, connectMsMax] = [100, 5_000, 1_000, 2_000]

type RemoteOptions = { url: string; channel: string; log: Log; onWake: (topic: Topic) => void }

function openRemote({ url, channel, log, onWake }: RemoteOptions) {
  const self = newId()
  let told: 'up' | 'down' | undefined
  let closed = false
  const tell = (state: 'up' | 'down', message?: string) => {
    if (told === state) return
    if (state === 'down')
      log.warn('redis lost', { message, instead: 'workers and watchers poll the records until it is back' })
    else if (told === 'down') log.info('redis is back')
    told = state
  }
  const open = () => {
    const client = createClient({
      url,
      disableOfflineQueue: true,
      socket: {
        connectTimeout: connectMsMax,
        reconnectStrategy: (retries) => Math.min(reconnectMsMax, reconnectMsMin * 2 ** Math.min(retries, 10)),
      },
    })
    client.on('error', (error: Error) => tell('down', error.message || String(error)))
    client.on('ready', () => tell('up'))
    // `destroy` does not see a socket that is still connecting; left alone it would keep the process from its end.
    client.on('connect', () => closed && client.destroy())
    return client
  }
  const [publisher, subscriber] = [open(), open()]
  // Nobody waits for the connection: a Redis that is down must not hold a start.
  publisher.connect().catch(() => {})
  subscriber
    .connect()
    .then(() =>
      subscriber.subscribe(channel, (text) => {
        const [from, topic] = text.split(' ')
        if (from !== self && (topic === 'queue' || topic === 'journal')) onWake(topic)
      }),
    )
    .catch(() => {})
  // What was published while the connection was away is lost to us: look at once.
  subscriber.on('ready', () => {
    onWake('queue')
    onWake('journal')
  })
  return {
    publish: (topic: Topic) => void publisher.publish(channel, `${self} ${topic}`).catch(() => {}),
    isReady: () => publisher.isReady && subscriber.isReady,
    check: async (): Promise<'ok' | 'down'> => {
      if (!publisher.isReady) return 'down'
      const late = AbortSignal.timeout(pingMsMax)
      const gone = new Promise<never>((_, reject) =>
        late.addEventListener('abort', () => reject(late.reason as Error), { once: true }),
      )
      return Promise.race([publisher.ping(), gone]).then(
        () => 'ok' as const,
        () => 'down' as const,
      )
    },
    close: async () => {
      closed = true
      await Promise.all([publisher, subscriber].map((client) => (client.isOpen ? client.destroy() : undefined)))
    },
  }
}
