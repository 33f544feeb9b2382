// The public surface of this room: other rooms import this file only.

export type { FileIO, FileStat } from './file-io.ts'
export { localFileIO } from './local.ts'
export { fileLocation, isLocal, joinLocation, localPath } from './location.ts'
export { memoryFileIO, type MemoryFileIO } from './memory.ts'
export { crashingFileIO, mappedFileIO, scheduledFileIO, type Fault } from './wrapped.ts'
