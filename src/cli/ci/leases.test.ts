import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { abandonedForks, forgetFork, holdFork } from './leases.ts'

test('a name is held until it is let go of; one that nobody touches is abandoned', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'leases-'))
  const now = Date.now()
  expect(await abandonedForks(dir, now)).toEqual([])
  const [held, killed] = [await holdFork(dir, 'ci_a'), await holdFork(dir, 'ci_b')]
  await utimes(join(dir, 'ci/ci_b'), new Date(now - 400_000), new Date(now - 400_000))
  expect(await abandonedForks(dir, now)).toEqual(['ci_b'])
  await forgetFork(dir, 'ci_b')
  expect(await readdir(join(dir, 'ci'))).toEqual(['ci_a'])
  await held[Symbol.asyncDispose]()
  await killed[Symbol.asyncDispose]()
  expect(await readdir(join(dir, 'ci'))).toEqual([])
  await rm(dir, { recursive: true })
})
