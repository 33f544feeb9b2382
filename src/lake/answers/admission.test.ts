import { expect, test } from 'vitest'
import { systemPrincipal, type Principal } from '../../govern/index.ts'
import { Admission } from './admission.ts'

const [ana, rob]: Principal[] = [
  { id: 'a', name: 'ana', role: 'admin' },
  { id: 'r', name: 'rob', role: 'reader' },
]
const limits = { queries: 2, waiting: 1, resultBytes: 100 }
const two = { most: 2, setBy: 'a test' }

test('each principal has so many places, and so many who wait', async () => {
  const admission = new Admission(limits)
  const [first, second] = [await admission.enter(ana!, two, undefined), await admission.enter(ana!, two, undefined)]
  const seen: string[] = []
  const third = admission.enter(ana!, two, undefined).then((leave) => (seen.push('third'), leave))
  await expect(admission.enter(ana!, two, undefined)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  const other = await admission.enter(rob!, two, undefined) // nobody waits for somebody else
  await admission.enter(systemPrincipal, undefined, undefined)
  expect(seen).toEqual([])
  first()
  first()
  const leave = await third
  second()
  leave()
  other()
  for (let i = 0; i < 20; i++) (await admission.enter(ana!, two, undefined))()
})

test('who is cancelled leaves, waiting or not', async () => {
  const admission = new Admission(limits)
  const cancel = new AbortController()
  await admission.enter(ana!, two, cancel.signal)
  const last = await admission.enter(ana!, two, undefined)
  const waiting = admission.enter(ana!, two, cancel.signal)
  cancel.abort(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
  const next = await admission.enter(ana!, two, undefined)
  last()
  next()
})

test('another limit counts for those who come after it', async () => {
  const admission = new Admission(limits)
  const leaves = [await admission.enter(ana!, two, undefined), await admission.enter(ana!, two, undefined)]
  const one = { most: 1, setBy: 'queries of role:analyst in access.yml' }
  await expect(admission.enter(ana!, one, undefined)).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    hint: expect.stringContaining('role:analyst in access.yml'),
  })
  for (const leave of leaves) leave()
  const only = await admission.enter(ana!, one, undefined)
  const seen: string[] = []
  const next = admission.enter(ana!, one, undefined).then((leave) => (seen.push('next'), leave))
  await admission.enter(rob!, one, undefined)
  expect(seen).toEqual([])
  only()
  ;(await next)()
})
