export { mayBeSure, type Sure } from './sure-texts.ts'
export { findCalls, leavesNoTrace, type Analysis, type FoundCall, type Harmless, type Traces } from './analyse.ts'
export { bind } from './arguments.ts'
export { findBlocks, findMacros, type Block, type BlockName, type MacroBlock } from './blocks.ts'
export { decimalOf } from './decimal.ts'
export { type Frame, type Origin } from './errors.ts'
export { roundTo } from './format.ts'
export { builtins } from './globals.ts'
export { fromJson, quoteAscii, toJson } from './json.ts'
export { Rendering, returnFunction, Suspend, type Globals } from './runtime.ts'
export {
  compileMacros,
  compileTemplate,
  parseTemplate,
  renderingOf,
  type LineMap,
  type RenderOptions,
  type Template,
} from './template.ts'
export { isReadStatically } from './static-calls.ts'
export { writtenArguments } from './written.ts'
export {
  compare,
  contains,
  Decimal,
  Dict,
  equals,
  Float,
  float,
  fromJs,
  Gen,
  HostObject,
  int,
  isFloat,
  isInt,
  iterable,
  iterate,
  length,
  listOf,
  Namespace,
  newKwargs,
  numberOf,
  PyError,
  PySet,
  repr,
  str,
  toJs,
  truth,
  Tuple,
  typeName,
  Undefined,
  View,
  whole,
  type Callable,
  type Kwargs,
} from './values.ts'
