export { addPackage, type NewPackage } from './add.ts'
export { installPackages, type DepsEvent, type DepsOptions } from './install.ts'
