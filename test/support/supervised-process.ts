// A supervisor and its children in processes of their own, for tests that kill them.
// Arguments: `supervisor STATE_DIR`, or `child WAY` where the way is stay, deaf, or an exit code.

import { silentLog } from '../../src/base/log.ts'
import { reportReady, supervise, watchParent } from '../../src/orchestrate/index.ts'

const [role, argument] = process.argv.slice(2)
if (role === 'supervisor') {
  const child = { command: process.execPath, args: [import.meta.filename, 'child', 'stay'] }
  const children = [
    { ...child, name: 'serve' },
    { ...child, name: 'worker' },
  ]
  const supervisor = supervise({ children, stateDir: argument!, log: silentLog })
  process.once('SIGTERM', () => void supervisor.stop())
  process.exitCode = (await supervisor.done).exitCode
} else {
  console.log(`hello from ${process.pid}`)
  reportReady({ pid: process.pid })
  if (argument !== 'stay' && argument !== 'deaf') process.exit(Number(argument))
  setInterval(() => {}, 1_000)
  process.on('SIGTERM', () => (argument === 'deaf' ? undefined : process.exit(0)))
  watchParent(() => process.exit(0))
}
