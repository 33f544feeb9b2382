import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPgWorld, type PgWorld } from '../../../test/support/pg-world.ts'
import { answers, expectedFile } from '../../../test/support/pg-words.ts'

let world: PgWorld

beforeAll(async () => {
  world = await openPgWorld()
})
afterAll(() => world.close())

// The file holds what PostgreSQL itself says (`test/conformance/wire`).
test('what is written in words of PostgreSQL alone means what it means there', async () => {
  expect(await answers(world.url())).toBe(readFileSync(expectedFile, 'utf8'))
})
