import { afterEach, expect, test, vi } from 'vitest'
import { silentLog } from './base/log.ts'
import type { Fork } from './catalog/index.ts'
import type { Config } from './config/index.ts'
import { knownEnvironments } from './known-environments.ts'

afterEach(() => void vi.useRealTimers())

const settings = {
  environments: { dev: { catalog: 'dev_lake', protected: false }, prod: { catalog: 'prod_lake', protected: true } },
} as unknown as Config
const fork = (environment: string, catalog = environment): Fork => ({ environment, catalog }) as unknown as Fork

test('forks come and go while everybody holds the same list', async () => {
  vi.useFakeTimers()
  let forks = [fork('trial')]
  const known = await knownEnvironments(settings, async () => forks)
  const { list, config } = known
  const names = () => [list.map(({ name }) => name), Object.keys(config.environments)]
  expect(names()).toEqual([
    ['trial', 'dev', 'prod'],
    ['trial', 'dev', 'prod'],
  ])
  const stop = known.follow(silentLog)
  // A fork never takes the name, nor the protection, of an environment of the settings.
  forks = [fork('later'), fork('prod', 'elsewhere')]
  await vi.advanceTimersByTimeAsync(2_000)
  expect(names().map((some) => some.toSorted())).toEqual([
    ['dev', 'later', 'prod'],
    ['dev', 'later', 'prod'],
  ])
  expect(list.find(({ name }) => name === 'prod')).toEqual({ name: 'prod', catalog: 'prod_lake', protected: true })
  stop()
  forks = []
  await vi.advanceTimersByTimeAsync(10_000)
  expect(list.map(({ name }) => name)).toContain('later')
})

test('records that do not answer leave what was known', async () => {
  vi.useFakeTimers()
  const forks = vi.fn(async () => [fork('trial')])
  const known = await knownEnvironments(settings, forks)
  const stop = known.follow(silentLog)
  forks.mockRejectedValue(new Error('gone'))
  await vi.advanceTimersByTimeAsync(4_000)
  expect(forks).toHaveBeenCalledTimes(3)
  expect(known.list.map(({ name }) => name)).toContain('trial')
  stop()
})
