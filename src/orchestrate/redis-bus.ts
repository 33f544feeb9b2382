// Wake-ups between processes, by a channel of Redis. It may come and go.

import { createClient } from 'redis'
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Topic } from './bus.ts'

const [reconnectMsMin, reconnectMsMax, pingMsMax, connectMsMax] = [100, 5_000, 1_000, 2_000]

type RemoteOptions = { url: string; channel: string; log: Log; onWake: (topic: Topic) => void }

export type Remote = ReturnType<typeof openRemote>

export function openRemote({ url, channel, log, onWake }: RemoteOptions) {
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
