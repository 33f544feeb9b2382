// The program's own start: hands the command line to `cli`, and the rooms to it only when a command needs them.

import { runCli } from './cli/index.ts'

/** `script`: what is started anew for processes of ours. Resolves to the exit code. */
export const runProgram = (argv: readonly string[], script: string): Promise<number> =>
  runCli(argv, {
    open: async (...options) => (await import('./main.ts')).open(...options),
    // Not by the room's index, which loads all of the engine: this is done while the project is still read.
    startEngine: async () => (await import('./engine/host-process.ts')).startHostEarly(),
    self: { node: process.execPath, script },
  })
