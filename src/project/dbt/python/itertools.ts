// Python's `itertools`. What has no end there is refused: templates have no way to stop it.

import {
  bind,
  Dict,
  Gen,
  HostObject,
  iterate,
  listOf,
  newKwargs,
  numberOf,
  PyError,
  Tuple,
  truth,
  typeName,
  type Callable,
} from '../../../jinja/index.ts'

/** Results of one call: a template that asks for more has made a mistake. */
const resultsMax = 1_000_000

const lazily =
  (name: string, work: (args: unknown[], kwargs: Record<string, unknown>) => Iterable<unknown>): Callable =>
  (args, kwargs) =>
    new Gen(limited(name, work(args, kwargs)))

function* limited(name: string, all: Iterable<unknown>): Generator<unknown> {
  let count = 0
  for (const each of all) {
    if (++count > resultsMax) throw new PyError('OverflowError', `${name}() gives more than ${resultsMax} results`)
    yield each
  }
}

function called(call: unknown, args: unknown[]): unknown {
  if (typeof call === 'function') return (call as Callable)(args, newKwargs())
  if (call instanceof HostObject && call.callable) return call.call(args, newKwargs())
  throw new PyError('TypeError', `'${typeName(call)}' object is not callable`)
}

const whole = (value: unknown, fallback: number): number => numberOf(value) ?? fallback

function* product(lists: readonly unknown[][], chosen: readonly unknown[] = []): Generator<Tuple> {
  const [first, ...rest] = lists
  if (!first) yield new Tuple([...chosen])
  else for (const each of first) yield* product(rest, [...chosen, each])
}

/** Choices of `size` positions out of `count`; `next` gives the positions that may follow those chosen. */
function* choices(
  items: readonly unknown[],
  size: number,
  next: (chosen: readonly number[], position: number) => boolean,
  chosen: readonly number[] = [],
): Generator<Tuple> {
  if (chosen.length === size) yield new Tuple(chosen.map((position) => items[position]))
  else
    for (let position = 0; position < items.length; position++)
      if (next(chosen, position)) yield* choices(items, size, next, [...chosen, position])
}

function* count(start: number, step: number): Generator<number> {
  for (let at = start; ; at += step) yield at
}

function* cycle(items: readonly unknown[]): Generator<unknown> {
  while (items.length > 0) yield* items
}

function* repeat(value: unknown, times: number): Generator<unknown> {
  for (let done = 0; done < times; done++) yield value
}

function* accumulate(items: Iterable<unknown>, add: unknown): Generator<unknown> {
  let sum: unknown
  for (const each of items) {
    sum = sum === undefined ? each : add ? called(add, [sum, each]) : (numberOf(sum) ?? 0) + (numberOf(each) ?? 0)
    yield sum
  }
}

function* islice(items: Iterable<unknown>, start: number, stop: number, step: number): Generator<unknown> {
  let at = 0
  for (const each of items) {
    if (at >= stop) return
    if (at >= start && (at - start) % step === 0) yield each
    if (++at >= stop) return
  }
}

function* longest(lists: readonly unknown[][], fill: unknown): Generator<Tuple> {
  const length = Math.max(0, ...lists.map((list) => list.length))
  for (let at = 0; at < length; at++) yield new Tuple(lists.map((list) => (at < list.length ? list[at] : fill)))
}

export function itertoolsModule(): Dict {
  const after = (chosen: readonly number[], position: number) => position > (chosen.at(-1) ?? -1)
  const from = (chosen: readonly number[], position: number) => position >= (chosen.at(-1) ?? 0)
  const other = (chosen: readonly number[], position: number) => !chosen.includes(position)
  const functions: Record<string, Callable> = {
    count: lazily('count', ([start, step]) => count(whole(start, 0), whole(step, 1))),
    cycle: lazily('cycle', ([items]) => cycle(listOf(items))),
    repeat: lazily('repeat', (args, kwargs) => {
      const [value, times] = bind('repeat', ['object', 'times?'], args, kwargs)
      return repeat(value, whole(times, Infinity))
    }),
    accumulate: lazily('accumulate', (args, kwargs) => {
      const [items, add] = bind('accumulate', ['iterable', 'func?'], args, kwargs)
      return accumulate(iterate(items), add)
    }),
    chain: lazily('chain', (args) => args.flatMap(listOf)),
    compress: lazily('compress', ([items, selectors]) => {
      const chosen = listOf(selectors)
      return listOf(items).filter((_, at) => at < chosen.length && truth(chosen[at]))
    }),
    islice: lazily('islice', ([items, first, second, step]) =>
      second === undefined
        ? islice(iterate(items), 0, whole(first, Infinity), 1)
        : islice(iterate(items), whole(first, 0), whole(second, Infinity), whole(step, 1)),
    ),
    starmap: lazily('starmap', ([call, items]) => listOf(items).map((each) => called(call, listOf(each)))),
    zip_longest: lazily('zip_longest', (args, kwargs) => longest(args.map(listOf), kwargs['fillvalue'] ?? null)),
    product: lazily('product', (args, kwargs) =>
      product(Array.from({ length: whole(kwargs['repeat'], 1) }, () => args.map(listOf)).flat()),
    ),
    permutations: lazily('permutations', ([items, size]) => {
      const list = listOf(items)
      return choices(list, whole(size, list.length), other)
    }),
    combinations: lazily('combinations', ([items, size]) => choices(listOf(items), whole(size, 0), after)),
    combinations_with_replacement: lazily('combinations_with_replacement', ([items, size]) =>
      choices(listOf(items), whole(size, 0), from),
    ),
  }
  const tee: Callable = ([items, times = 2]) => {
    const list = listOf(items)
    return new Tuple(Array.from({ length: whole(times, 2) }, () => new Gen(list[Symbol.iterator]())))
  }
  return new Dict([...Object.entries(functions), ['tee', tee]] as [unknown, unknown][])
}
