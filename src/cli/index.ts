export type { App, OpenOptions, Role } from './app.ts'
export { runCli } from './cli.ts'
export { ownVersion } from './version.ts'
