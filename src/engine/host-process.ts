// The process of an engine host, before anything is asked of it.
//
// To start one takes longer than most queries. A command that is going to ask some starts it first, and reads the project
// meanwhile: processes are told what they may do in their first message, so one may be started before that is known.

import { fork, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { crowdMax } from './slots.ts'

/** Beside this file, or put together beside the program (`tools/build-program.ts`). */
const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'host.ts' : 'host.mjs', import.meta.url))
/** As many as a command has, where its settings do not ask for more. */
const spareSlots = 16
let spare: ChildProcess | undefined

/** Starts the first host of this process, whatever it will be. It keeps no process from ending. */
export function startHostEarly(): void {
  if (spare) return
  spare = start(spareSlots)
  spare.unref()
  spare.channel?.unref()
  ;(spare.stderr as Socket | null)?.unref()
  // Told when it is taken.
  spare.on('error', () => {})
}

/** @param slots how many queries the host may be asked to run at once */
export function startHost(slots: number): ChildProcess {
  const early = spare
  spare = undefined
  if (!early?.connected || slots > spareSlots) {
    early?.kill('SIGKILL')
    return start(slots)
  }
  early.ref()
  early.channel?.ref()
  return early
}

function start(slots: number): ChildProcess {
  return fork(program, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=512'],
    // Nothing of the server's environment is for a host: no secret can leak from there.
    env: {
      PATH: process.env.PATH ?? '',
      ...(process.env.NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE } : {}),
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      UV_THREADPOOL_SIZE: String(crowdMax(slots) + 4),
    },
  })
}
