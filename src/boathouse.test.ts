import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = mkdtempSync(join(tmpdir(), 'boathouse-start-'))
afterAll(() => rmSync(root, { recursive: true }))

const program = (name: string) => `export const runProgram = async (argv) => (console.log('${name}', ...argv), 3)\n`
const start = (env: Record<string, string> = {}) => {
  try {
    execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(root, 'src/boathouse.ts'), 'a', 'b'],
      {
        encoding: 'utf8',
        stdio: 'pipe',
        env: { PATH: process.env['PATH'], HOME: join(root, 'home'), ...env },
      },
    )
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string }
    expect(status, 'the exit code is that of the program').toBe(3)
    return stdout.trim()
  }
  throw new Error('it ended with 0')
}
const build = () => {
  const { size, mtimeMs } = statSync(join(root, 'src/program.ts'))
  const built = {
    program: 'dist/one/program.js',
    sources: { 'src/program.ts': `${size} ${Math.floor(mtimeMs / 1000)}` },
  }
  writeFileSync(join(root, 'dist/built.json'), JSON.stringify(built))
}

beforeAll(() => {
  for (const folder of ['src', 'dist/one', 'node_modules', 'home']) mkdirSync(join(root, folder), { recursive: true })
  cpSync(join(import.meta.dirname, 'boathouse.ts'), join(root, 'src/boathouse.ts'))
  writeFileSync(join(root, 'package.json'), '{"type": "module"}')
  writeFileSync(join(root, 'src/program.ts'), program('sources'))
  writeFileSync(join(root, 'dist/one/program.js'), program('built'))
})

test('a stack of the built program names the sources', () => {
  const failing = "export const runProgram = async () => (console.log(new Error('what')?.stack), 3)\n"
  writeFileSync(join(root, 'dist/one/program.js'), failing)
  // The place of `new Error` is line 7, column 3 of the source (both count from 0 in a map).
  const map = { version: 3, sources: ['../../src/program.ts'], names: [], mappings: 'AAOG' }
  writeFileSync(join(root, 'dist/one/program.js.map'), JSON.stringify(map))
  build()
  const stack = start()
  expect(stack).toContain('Error: what\n')
  expect(stack).toMatch(/at .*runProgram .*\/src\/program\.ts:8:4\)/)
  rmSync(join(root, 'dist/one/program.js.map'))
  expect(start(), 'without the map').toContain('/dist/one/program.js:1:')
  writeFileSync(join(root, 'dist/one/program.js'), program('built'))
  rmSync(join(root, 'dist/built.json'))
})

test('the built program is used while every source is as it was, and the sources are otherwise', () => {
  expect(start(), 'nothing is built').toBe('sources a b')
  build()
  expect(start()).toBe('built a b')
  const later = new Date(Date.now() + 5_000)
  utimesSync(join(root, 'src/program.ts'), later, later)
  expect(start(), 'a source was touched').toBe('sources a b')
  build()
  expect(start()).toBe('built a b')
  writeFileSync(join(root, 'dist/built.json'), '{"program": "dist/one/program.js", "sour')
  expect(start(), 'the list is damaged').toBe('sources a b')
})
