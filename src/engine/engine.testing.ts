// An engine over a folder of its own, for tests of this room.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine, type Engine, type EngineOptions } from './pool.ts'

export type TestEngine = { engine: Engine; dir: string; close(): Promise<void> }

/** Hosts may read `dir`/lake and nothing else. */
export function openTestEngine({
  memoryBytes,
  classes,
  inOneProcess = false,
}: Required<Pick<EngineOptions, 'memoryBytes' | 'classes'>> & Pick<EngineOptions, 'inOneProcess'>): TestEngine {
  const dir = mkdtempSync(join(tmpdir(), 'engine-'))
  const lake = join(dir, 'lake')
  mkdirSync(lake)
  const engine = openEngine({
    memoryBytes,
    classes,
    inOneProcess,
    threads: 2,
    tempDirectory: join(dir, 'tmp'),
    tempBytes: 2 ** 30,
    timeZone: 'UTC',
    directories: [lake],
  })
  const close = async () => {
    await engine.close()
    rmSync(dir, { recursive: true, force: true })
  }
  return { engine, dir, close }
}
