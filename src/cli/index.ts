export type { App, OpenOptions, Role } from './app.ts'
export { runCli } from './cli.ts'
export { versionOf } from './version.ts'
