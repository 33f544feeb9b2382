export { assertWritable, type Environment, isEnvironment, resolveEnvironment } from './environment.ts'
export {
  type Config,
  type ExternalCatalog,
  findProjectDir,
  loadConfig,
  type Override,
  ownFolders,
  variablesOf,
} from './load.ts'
export { openCleaner, openLog } from './log.ts'
export { networkFileSystem } from './machine.ts'
export { isSecretName } from './secrets.ts'
export { type EnvironmentEntry, type Expectation, type SettingName, settings } from './settings.ts'
