// Which forks a check of a branch still uses. A check that was killed drops nothing: the next one does it.
//
// Each check keeps a file in the state folder, touched every few seconds, for as long as its fork is there. A file that
// nobody has touched for long belongs to nobody. Forks without a file were made by people, or kept (`--keep`).

import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const touchedMs = 10_000
/** Longer than any pause of a process that lives. */
const abandonedMs = 180_000

/** Holds the name until it is let go of; taken before the fork is made, so that no fork is without. */
export async function holdFork(stateDir: string, name: string): Promise<AsyncDisposable> {
  const file = join(folderIn(stateDir), name)
  await mkdir(folderIn(stateDir), { recursive: true })
  await writeFile(file, '')
  const timer = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), touchedMs)
  timer.unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await rm(file, { force: true })
    },
  }
}

/** Names that were held by a process that is no more. `now` in milliseconds since 1970. */
export async function abandonedForks(stateDir: string, now: number): Promise<string[]> {
  const names = await readdir(folderIn(stateDir)).catch(() => [])
  const abandoned: string[] = []
  for (const name of names) {
    const touched = await stat(join(folderIn(stateDir), name)).catch(() => undefined)
    if (touched && now - touched.mtimeMs > abandonedMs) abandoned.push(name)
  }
  return abandoned
}

/** Once the fork is dropped, or found not to be there. */
export const forgetFork = (stateDir: string, name: string): Promise<void> =>
  rm(join(folderIn(stateDir), name), { force: true })

const folderIn = (stateDir: string): string => join(stateDir, 'ci')
