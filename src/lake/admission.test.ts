import { expect, test } from 'vitest'
import { systemPrincipal, type Principal } from '../govern/index.ts'
import { Admission } from './admission.ts'

const [ana, rob]: Principal[] = [
  { id: 'a', name: 'ana', role: 'admin' },
  { id: 'r', name: 'rob', role: 'reader' },
]
const limits = { queries: 2, waiting: 1, resultBytes: 100 }

test('each principal has so many places, and so many who wait', async () => {
  const admission = new Admission(limits)
  const [first, second] = [await admission.enter(ana!, undefined), await admission.enter(ana!, undefined)]
  const seen: string[] = []
  const third = admission.enter(ana!, undefined).then((leave) => (seen.push('third'), leave))
  await expect(admission.enter(ana!, undefined)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  const other = await admission.enter(rob!, undefined) // nobody waits for somebody else
  await admission.enter(systemPrincipal, undefined)
  expect(seen).toEqual([])
  first()
  first()
  const leave = await third
  second()
  leave()
  other()
  for (let i = 0; i < 20; i++) (await admission.enter(ana!, undefined))()
})

test('who is cancelled leaves, waiting or not', async () => {
  const admission = new Admission(limits)
  const cancel = new AbortController()
  await admission.enter(ana!, cancel.signal)
  const last = await admission.enter(ana!, undefined)
  const waiting = admission.enter(ana!, cancel.signal)
  cancel.abort(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
  const next = await admission.enter(ana!, undefined)
  last()
  next()
})

test('bytes of a result', () => {
  const admission = new Admission(limits)
  admission.checkBytes(ana!, 100)
  expect(() => admission.checkBytes(ana!, 101)).toThrow('larger than')
  admission.checkBytes(systemPrincipal, 1e9)
  new Admission(undefined).checkBytes(ana!, 1e12)
})
