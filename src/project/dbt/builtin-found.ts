// Stands for what `findMacros` finds in the built-in macros. `tools/build-program.ts` puts the value here, so that the built program
// parses them in no project; from the sources they are parsed once a process.

import type { findMacros } from '../../jinja/index.ts'

export const builtinFound: ReturnType<typeof findMacros> | undefined = undefined
