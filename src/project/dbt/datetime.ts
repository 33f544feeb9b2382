// Python's `datetime`, `re`, `pytz` and `itertools` as far as templates reach them through `modules`.

import {
  bind,
  Dict,
  float,
  HostObject,
  int,
  iterate,
  listOf,
  newKwargs,
  numberOf,
  PyError,
  str,
  Tuple,
  type Callable,
  type Kwargs,
} from '../../jinja/index.ts'

const dayMs = 86_400_000
const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const zeroMicros = 0

/** A constructor that also has attributes, like Python's classes. */
class PyClass extends HostObject {
  override readonly typeName = 'type'
  readonly #name: string
  readonly #make: Callable
  readonly #attributes: Readonly<Record<string, unknown>>
  constructor(name: string, make: Callable, attributes: Readonly<Record<string, unknown>>) {
    super()
    this.#name = name
    this.#make = make
    this.#attributes = attributes
  }
  override get callable(): boolean {
    return true
  }
  override call(args: unknown[], kwargs: Kwargs): unknown {
    return this.#make(args, kwargs)
  }
  override attr(name: string): unknown {
    return Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined
  }
  override text(): string {
    return `<class '${this.#name}'>`
  }
}

export class PyTimedelta extends HostObject {
  override readonly typeName = 'timedelta'
  /** Milliseconds; microseconds are the fraction. */
  readonly ms: number
  constructor(ms: number) {
    super()
    this.ms = ms
  }
  override attr(name: string): unknown {
    const days = Math.floor(this.ms / dayMs)
    switch (name) {
      case 'days':
        return days
      case 'seconds':
        return Math.floor((this.ms - days * dayMs) / 1000)
      case 'microseconds':
        return Math.round((this.ms - Math.floor(this.ms / 1000) * 1000) * 1000)
      case 'total_seconds':
        return (() => float(this.ms / 1000)) satisfies Callable
      default:
        return undefined
    }
  }
  override arithmetic(operator: '+' | '-', other: unknown, reflected: boolean): unknown {
    if (!(other instanceof PyTimedelta)) return undefined
    return new PyTimedelta(operator === '+' ? this.ms + other.ms : reflected ? other.ms - this.ms : this.ms - other.ms)
  }
  override equals(other: unknown): boolean {
    return other instanceof PyTimedelta && other.ms === this.ms
  }
  override compare(other: unknown): number | undefined {
    return other instanceof PyTimedelta ? this.ms - other.ms : undefined
  }
  override hashKey(): unknown {
    return `\0timedelta ${this.ms}`
  }
  override text(): string {
    const days = Math.floor(this.ms / dayMs)
    const rest = Math.floor((this.ms - days * dayMs) / 1000)
    const clock = `${Math.floor(rest / 3600)}:${pad(Math.floor(rest / 60) % 60)}:${pad(rest % 60)}`
    return days === 0 ? clock : `${days} day${Math.abs(days) === 1 ? '' : 's'}, ${clock}`
  }
}

type Fields = { year: number; month: number; day: number; hour: number; minute: number; second: number; micro: number }

/** A date or a datetime: wall-clock milliseconds as if in UTC, and the offset when it knows its zone. */
export class PyDate extends HostObject {
  override readonly typeName: 'date' | 'datetime'
  readonly wallMs: number
  readonly zone: Zone | undefined
  constructor(typeName: 'date' | 'datetime', wallMs: number, zone?: Zone) {
    super()
    this.typeName = typeName
    this.wallMs = wallMs
    this.zone = zone
  }

  get instant(): number {
    return this.wallMs - (this.zone ? this.zone.offsetAtWall(this.wallMs) : 0)
  }

  get fields(): Fields {
    const date = new Date(this.wallMs)
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      micro: date.getUTCMilliseconds() * 1000 + zeroMicros,
    }
  }

  override attr(name: string): unknown {
    const { fields } = this
    const weekday = (new Date(this.wallMs).getUTCDay() + 6) % 7
    const isDatetime = this.typeName === 'datetime'
    switch (name) {
      case 'year':
      case 'month':
      case 'day':
        return fields[name]
      case 'hour':
      case 'minute':
      case 'second':
        return isDatetime ? fields[name] : undefined
      case 'microsecond':
        return isDatetime ? fields.micro : undefined
      case 'tzinfo':
        return isDatetime ? (this.zone ?? null) : undefined
      case 'weekday':
        return (() => weekday) satisfies Callable
      case 'isoweekday':
        return (() => weekday + 1) satisfies Callable
      case 'isoformat':
        return (([separator = 'T']) => this.iso(str(separator))) satisfies Callable
      case 'strftime':
        return (([format]) => this.strftime(str(format))) satisfies Callable
      case 'replace':
        return ((args, kwargs) => this.#replace(args, kwargs)) satisfies Callable
      case 'date':
        return isDatetime
          ? ((() => new PyDate('date', Math.floor(this.wallMs / dayMs) * dayMs)) satisfies Callable)
          : undefined
      case 'timestamp':
        return isDatetime ? ((() => float(this.instant / 1000)) satisfies Callable) : undefined
      case 'astimezone':
        return isDatetime ? ((([zone]) => this.#inZone(zone)) satisfies Callable) : undefined
      case 'utcoffset': {
        return (() => (this.zone ? new PyTimedelta(this.zone.offsetAtWall(this.wallMs)) : null)) satisfies Callable
      }
      case 'toordinal':
        return (() => Math.floor(this.wallMs / dayMs) + 719_163) satisfies Callable
      default:
        return undefined
    }
  }

  #inZone(zone: unknown): PyDate {
    const to = zone instanceof Zone ? zone : utc
    return new PyDate('datetime', this.instant + to.offsetAt(this.instant), to)
  }

  #replace(args: unknown[], kwargs: Kwargs): PyDate {
    const names = ['year?', 'month?', 'day?', 'hour?', 'minute?', 'second?', 'microsecond?', 'tzinfo?']
    const bound = bind('replace', names, args, kwargs)
    const { fields } = this
    const [year, month, day, hour, minute, second, micro] = (
      ['year', 'month', 'day', 'hour', 'minute', 'second', 'micro'] as const
    ).map((name, index) => numberOf(bound[index]) ?? fields[name])
    const zone = bound[7] === undefined ? this.zone : bound[7] instanceof Zone ? bound[7].unlocalized : undefined
    return new PyDate(this.typeName, wall(year!, month!, day!, hour!, minute!, second!, micro!), zone)
  }

  iso(separator = 'T'): string {
    const { year, month, day, hour, minute, second, micro } = this.fields
    const date = `${pad(year, 4)}-${pad(month)}-${pad(day)}`
    if (this.typeName === 'date') return date
    const fraction = micro === 0 ? '' : `.${pad(micro, 6)}`
    const offset = this.zone ? showOffset(this.zone.offsetAtWall(this.wallMs), ':') : ''
    return `${date}${separator}${pad(hour)}:${pad(minute)}:${pad(second)}${fraction}${offset}`
  }

  strftime(format: string): string {
    const { year, month, day, hour, minute, second, micro } = this.fields
    const weekday = new Date(this.wallMs).getUTCDay()
    const dayOfYear = Math.floor((this.wallMs - Date.UTC(year, 0, 1)) / dayMs) + 1
    const week = isoWeek(this.wallMs)
    const values: Record<string, string> = {
      Y: String(year),
      y: pad(year % 100),
      m: pad(month),
      d: pad(day),
      H: pad(hour),
      I: pad(hour % 12 || 12),
      M: pad(minute),
      S: pad(second),
      f: pad(micro, 6),
      p: hour < 12 ? 'AM' : 'PM',
      j: pad(dayOfYear, 3),
      a: weekdays[weekday]!.slice(0, 3),
      A: weekdays[weekday]!,
      b: months[month - 1]!.slice(0, 3),
      B: months[month - 1]!,
      w: String(weekday),
      u: String(weekday || 7),
      F: `${pad(year, 4)}-${pad(month)}-${pad(day)}`,
      T: `${pad(hour)}:${pad(minute)}:${pad(second)}`,
      z: this.zone ? showOffset(this.zone.offsetAtWall(this.wallMs), '') : '',
      Z: this.zone ? this.zone.name : '',
      '%': '%',
      s: String(Math.floor(this.instant / 1000)),
      G: String(week.year),
      V: pad(week.week),
      U: pad(Math.floor((dayOfYear + 6 - weekday) / 7)),
      W: pad(Math.floor((dayOfYear + 6 - ((weekday + 6) % 7)) / 7)),
      e: String(day).padStart(2),
      D: `${pad(month)}/${pad(day)}/${pad(year % 100)}`,
      x: `${pad(month)}/${pad(day)}/${pad(year % 100)}`,
      X: `${pad(hour)}:${pad(minute)}:${pad(second)}`,
      R: `${pad(hour)}:${pad(minute)}`,
    }
    return format.replace(/%-?([a-zA-Z%])/g, (whole, code: string) => {
      const value = Object.hasOwn(values, code) ? values[code]! : whole
      return whole[1] === '-' ? value.replace(/^0+(?=\d)/, '') : value
    })
  }

  override arithmetic(operator: '+' | '-', other: unknown, reflected: boolean): unknown {
    if (other instanceof PyTimedelta && !(operator === '-' && reflected)) {
      const ms = operator === '+' ? this.wallMs + other.ms : this.wallMs - other.ms
      return new PyDate(this.typeName, this.typeName === 'date' ? Math.floor(ms / dayMs) * dayMs : ms, this.zone)
    }
    if (other instanceof PyDate && operator === '-') return new PyTimedelta(this.instant - other.instant)
    return undefined
  }

  override equals(other: unknown): boolean {
    return other instanceof PyDate && other.typeName === this.typeName && other.instant === this.instant
  }
  override compare(other: unknown): number | undefined {
    return other instanceof PyDate && other.typeName === this.typeName ? this.instant - other.instant : undefined
  }
  override hashKey(): unknown {
    return `\0${this.typeName} ${this.instant}`
  }
  override text(): string {
    return this.typeName === 'date' ? this.iso() : this.iso(' ')
  }
  override repr(): string {
    const { year, month, day, hour, minute, second, micro } = this.fields
    if (this.typeName === 'date') return `datetime.date(${year}, ${month}, ${day})`
    const tail = micro > 0 ? [second, micro] : second > 0 ? [second] : []
    return `datetime.datetime(${[year, month, day, hour, minute, ...tail].join(', ')})`
  }
}

function isoWeek(ms: number): { year: number; week: number } {
  const thursday = new Date(ms + (3 - ((new Date(ms).getUTCDay() + 6) % 7)) * dayMs)
  const year = thursday.getUTCFullYear()
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / dayMs / 7) + 1 }
}

function showOffset(ms: number, separator: string): string {
  const minutes = Math.round(Math.abs(ms) / 60_000)
  return `${ms < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${separator}${pad(minutes % 60)}`
}

function wall(year: number, month: number, day: number, hour = 0, minute = 0, second = 0, micro = 0): number {
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, Math.floor(micro / 1000))
  const date = new Date(year < 100 ? new Date(ms).setUTCFullYear(year) : ms)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || year < 1 || year > 9999) {
    throw new PyError('ValueError', 'day is out of range for month')
  }
  return date.getTime()
}

/** A time zone by its IANA name, read from the runtime's own tables. */
export class Zone extends HostObject {
  override readonly typeName = 'tzinfo'
  readonly name: string
  readonly #format: Intl.DateTimeFormat | undefined
  #fixed: number | undefined
  constructor(name: string) {
    super()
    this.name = name
    if (name === 'UTC') return
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      })
    } catch {
      throw new PyError('UnknownTimeZoneError', `unknown time zone '${name}'`)
    }
  }
  /**
   * What pytz makes of a zone that is handed to `datetime(tzinfo=…)` instead of `localize`: its local mean time of old,
   * in whole minutes. Surprising, and what projects compile to.
   */
  get unlocalized(): Zone {
    if (!this.#format) return this
    const zone = new Zone(this.name)
    zone.#fixed = Math.round(this.offsetAt(Date.UTC(1800, 0, 1)) / 60_000) * 60_000
    return zone
  }

  /** Milliseconds that wall clocks are ahead of UTC at an instant. */
  offsetAt(instant: number): number {
    if (this.#fixed !== undefined) return this.#fixed
    if (!this.#format) return 0
    const found = new Map(this.#format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]))
    const get = (type: Intl.DateTimeFormatPartTypes) => found.get(type) ?? 0
    const shown = Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second'))
    return shown - Math.floor(instant / 1000) * 1000
  }
  offsetAtWall(wallMs: number): number {
    return this.offsetAt(wallMs - this.offsetAt(wallMs))
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'zone':
        return this.name
      case 'localize':
        return (([date]) =>
          date instanceof PyDate ? new PyDate('datetime', date.wallMs, this) : date) satisfies Callable
      case 'normalize':
        return (([date]) =>
          date instanceof PyDate
            ? new PyDate('datetime', date.instant + this.offsetAt(date.instant), this)
            : date) satisfies Callable
      default:
        return undefined
    }
  }
  override text(): string {
    return this.name
  }
}

export const utc = new Zone('UTC')

export const parseDate = (text: string): PyDate | undefined => {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  return match ? new PyDate('date', wall(Number(match[1]), Number(match[2]), Number(match[3]))) : undefined
}

export function parseTimestamp(text: string): PyDate | undefined {
  const match =
    /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset] = match
  const micro = Number(fraction.slice(0, 6).padEnd(6, '0'))
  const ms = wall(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second), micro)
  if (offset === undefined) return new PyDate('datetime', ms)
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})$/.exec(offset) ?? []
  const shift = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
  return new PyDate('datetime', ms - (sign ? shift : 0), utc)
}

function strptime(text: string, format: string): PyDate {
  const parts: Record<string, string> = {
    Y: '(?<Y>\\d{4})',
    m: '(?<m>\\d{1,2})',
    d: '(?<d>\\d{1,2})',
    H: '(?<H>\\d{1,2})',
    M: '(?<M>\\d{1,2})',
    S: '(?<S>\\d{1,2})',
    f: '(?<f>\\d{1,6})',
    y: '(?<y>\\d{2})',
    b: '(?<b>[A-Za-z]{3})',
    B: '(?<B>[A-Za-z]+)',
    j: '(?<j>\\d{1,3})',
  }
  const pattern = format.replace(/%([a-zA-Z%])|[.*+?^${}()|[\]\\]/g, (whole, code?: string) =>
    code === undefined ? `\\${whole}` : code === '%' ? '%' : (parts[code] ?? '.*?'),
  )
  const found = new RegExp(`^${pattern}$`).exec(text)?.groups
  if (!found) throw new PyError('ValueError', `time data '${text}' does not match format '${format}'`)
  const month = found['b'] ?? found['B']
  const monthIndex = month
    ? months.findIndex((name) => name.toLowerCase().startsWith(month.slice(0, 3).toLowerCase())) + 1
    : Number(found['m'] ?? 1)
  const year = found['y'] ? 2000 + Number(found['y']) - (Number(found['y']) > 68 ? 100 : 0) : Number(found['Y'] ?? 1900)
  return new PyDate(
    'datetime',
    wall(
      year,
      monthIndex,
      Number(found['d'] ?? 1),
      Number(found['H'] ?? 0),
      Number(found['M'] ?? 0),
      Number(found['S'] ?? 0),
      Number((found['f'] ?? '0').padEnd(6, '0')),
    ),
  )
}

const whole = (value: unknown, fallback = 0): number => numberOf(value) ?? fallback

function datetimeModule(now: () => number): Dict {
  const date = new PyClass(
    'datetime.date',
    (args, kwargs) => {
      const [year, month, day] = bind('date', ['year', 'month', 'day'], args, kwargs).map((each) => int(whole(each)))
      return new PyDate('date', wall(year!, month!, day!))
    },
    {
      today: (() => new PyDate('date', Math.floor(now() / dayMs) * dayMs)) satisfies Callable,
      fromisoformat: (([text]) => parseDate(str(text)) ?? invalidIso(str(text))) satisfies Callable,
    },
  )
  const current: Callable = ([zone = null]) =>
    new PyDate(
      'datetime',
      zone instanceof Zone ? now() + zone.offsetAt(now()) : now(),
      zone instanceof Zone ? zone : undefined,
    )
  const datetime = new PyClass(
    'datetime.datetime',
    (args, kwargs) => {
      const names = ['year', 'month', 'day', 'hour?', 'minute?', 'second?', 'microsecond?', 'tzinfo?']
      const bound = bind('datetime', names, args, kwargs)
      const [year, month, day, hour, minute, second, micro] = bound.slice(0, 7).map((each) => whole(each))
      return new PyDate(
        'datetime',
        wall(year!, month!, day!, hour, minute, second, micro),
        bound[7] instanceof Zone ? bound[7].unlocalized : undefined,
      )
    },
    {
      now: ((args, kwargs) => current([kwargs['tz'] ?? args[0] ?? null], newKwargs())) satisfies Callable,
      today: (() => current([], newKwargs())) satisfies Callable,
      utcnow: (() => current([], newKwargs())) satisfies Callable,
      fromisoformat: (([text]) => parseTimestamp(str(text)) ?? invalidIso(str(text))) satisfies Callable,
      fromtimestamp: (([seconds]) => new PyDate('datetime', whole(seconds) * 1000)) satisfies Callable,
      strptime: (([text, format]) => strptime(str(text), str(format))) satisfies Callable,
      combine: (([day, time]) =>
        new PyDate(
          'datetime',
          (day as PyDate).wallMs + (time instanceof PyTimedelta ? time.ms : 0),
        )) satisfies Callable,
    },
  )
  const timedelta = new PyClass(
    'datetime.timedelta',
    (args, kwargs) => {
      const names = ['days?', 'seconds?', 'microseconds?', 'milliseconds?', 'minutes?', 'hours?', 'weeks?']
      const units = [dayMs, 1000, 0.001, 1, 60_000, 3_600_000, 7 * dayMs]
      const bound = bind('timedelta', names, args, kwargs)
      return new PyTimedelta(units.reduce((sum, unit, index) => sum + whole(bound[index]) * unit, 0))
    },
    {},
  )
  // A time of day is kept as the time since midnight.
  const time = new PyClass(
    'datetime.time',
    (args, kwargs) => {
      const [hour, minute, second] = bind('time', ['hour?', 'minute?', 'second?', 'microsecond?'], args, kwargs).map(
        (each) => whole(each),
      )
      return new PyTimedelta((hour! * 3600 + minute! * 60 + second!) * 1000)
    },
    {},
  )
  return new Dict([
    ['date', date],
    ['datetime', datetime],
    ['timedelta', timedelta],
    ['time', time],
    ['timezone', new Dict([['utc', utc]])],
  ] as [unknown, unknown][])
}

function invalidIso(text: string): never {
  throw new PyError('ValueError', `Invalid isoformat string: '${text}'`)
}

// --- re

/** Python's syntax that differs: named groups and references to them, absolute ends, inline flags. */
function regex(pattern: unknown, flags: unknown, extra = ''): RegExp {
  let source = str(pattern)
  let found = extra + (whole(flags) & 2 ? 'i' : '') + (whole(flags) & 8 ? 'm' : '') + (whole(flags) & 16 ? 's' : '')
  source = source
    .replace(/^\(\?([imsx]+)\)/, (_, inline: string) => {
      for (const flag of inline) if ('ims'.includes(flag) && !found.includes(flag)) found += flag
      return ''
    })
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replaceAll('\\A', '^')
    .replaceAll('\\Z', '$')
  try {
    return new RegExp(source, found)
  } catch (error) {
    throw new PyError('error', `not a regular expression: ${error instanceof Error ? error.message : String(error)}`)
  }
}

class Match extends HostObject {
  override readonly typeName = 're.Match'
  readonly #match: RegExpExecArray
  constructor(match: RegExpExecArray) {
    super()
    this.#match = match
  }
  #group(key: unknown): unknown {
    const value = typeof key === 'string' ? this.#match.groups?.[key] : this.#match[whole(key)]
    return value ?? null
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'group':
        return ((args) =>
          args.length <= 1
            ? this.#group(args[0] ?? 0)
            : new Tuple(args.map((each) => this.#group(each)))) satisfies Callable
      case 'groups':
        return (() => new Tuple([...this.#match].slice(1).map((each) => each ?? null))) satisfies Callable
      case 'groupdict':
        return (() => Dict.of({ ...this.#match.groups })) satisfies Callable
      case 'start':
        return (() => this.#match.index) satisfies Callable
      case 'end':
        return (() => this.#match.index + this.#match[0].length) satisfies Callable
      case 'span':
        return (() => new Tuple([this.#match.index, this.#match.index + this.#match[0].length])) satisfies Callable
      default:
        return undefined
    }
  }
  override item(key: unknown): unknown {
    return this.#group(key)
  }
}

const matchOf = (match: RegExpExecArray | null): Match | null => (match ? new Match(match) : null)

function reFunctions(bound?: { pattern: unknown; flags: unknown }): Record<string, Callable> {
  // A compiled pattern has the same functions without their first argument.
  const shift =
    (run: (pattern: unknown, flags: unknown, rest: unknown[], kwargs: Kwargs) => unknown, flagsAt: number): Callable =>
    (args, kwargs) =>
      bound
        ? run(bound.pattern, bound.flags, args, kwargs)
        : run(args[0], kwargs['flags'] ?? args[flagsAt], args.slice(1), kwargs)
  return {
    search: shift((pattern, flags, [text]) => matchOf(regex(pattern, flags).exec(str(text))), 2),
    match: shift((pattern, flags, [text]) => matchOf(regex(`^(?:${str(pattern)})`, flags).exec(str(text))), 2),
    fullmatch: shift((pattern, flags, [text]) => matchOf(regex(`^(?:${str(pattern)})$`, flags).exec(str(text))), 2),
    findall: shift(
      (pattern, flags, [text]) =>
        Array.from(str(text).matchAll(regex(pattern, flags, 'g')), (match) =>
          match.length === 1
            ? match[0]
            : match.length === 2
              ? (match[1] ?? '')
              : new Tuple([...match].slice(1).map((each) => each ?? '')),
        ),
      2,
    ),
    finditer: shift(
      (pattern, flags, [text]) =>
        Array.from(str(text).matchAll(regex(pattern, flags, 'g')), (match) => new Match(match)),
      2,
    ),
    split: shift(
      (pattern, flags, [text]) =>
        str(text)
          .split(regex(pattern, flags))
          .map((each) => each ?? null),
      3,
    ),
    sub: shift(
      (pattern, flags, [by, text, count], kwargs) =>
        substitute(regex(pattern, flags, 'g'), by, str(text), whole(kwargs['count'] ?? count)),
      4,
    ),
  }
}

function substitute(pattern: RegExp, by: unknown, text: string, limit: number): string {
  let done = 0
  return text.replace(pattern, (matched: string, ...rest: unknown[]) => {
    if (limit > 0 && done++ >= limit) return matched
    const groups = typeof rest.at(-1) === 'object' ? (rest.pop() as Record<string, string>) : undefined
    const match = Object.assign([matched, ...(rest.slice(0, -2) as string[])], {
      index: rest.at(-2) as number,
      input: text,
      groups,
    }) as unknown as RegExpExecArray
    if (typeof by === 'function') return str((by as Callable)([new Match(match)], newKwargs()))
    return str(by).replace(/\\(?:g<(\w+)>|(\d+)|(n|t|\\))/g, (_, named?: string, index?: string, escape?: string) => {
      if (escape) return { n: '\n', t: '\t', '\\': '\\' }[escape]!
      const key = named ?? index!
      return (/^\d+$/.test(key) ? match[Number(key)] : groups?.[key]) ?? ''
    })
  })
}

class Pattern extends HostObject {
  override readonly typeName = 're.Pattern'
  readonly #functions: Record<string, Callable>
  constructor(pattern: unknown, flags: unknown) {
    super()
    regex(pattern, flags)
    this.#functions = reFunctions({ pattern, flags })
  }
  override attr(name: string): unknown {
    return Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined
  }
}

function reModule(): Dict {
  return new Dict([
    ...Object.entries(reFunctions()),
    ['compile', (([pattern, flags = 0]) => new Pattern(pattern, flags)) satisfies Callable],
    ['escape', (([text]) => str(text).replace(/[^\w]/g, '\\$&')) satisfies Callable],
    ['IGNORECASE', 2],
    ['I', 2],
    ['MULTILINE', 8],
    ['M', 8],
    ['DOTALL', 16],
    ['S', 16],
  ] as [unknown, unknown][])
}

// --- the rest

function product(lists: unknown[][]): unknown[] {
  return lists
    .reduce<unknown[][]>((rows, list) => rows.flatMap((row) => list.map((each) => [...row, each])), [[]])
    .map((row) => new Tuple(row))
}

const itertools = (): Dict =>
  new Dict([
    [
      'product',
      ((args, kwargs) =>
        product(Array.from({ length: whole(kwargs['repeat'], 1) }, () => args.map(listOf)).flat())) satisfies Callable,
    ],
    ['chain', ((args) => args.flatMap((each) => [...iterate(each)])) satisfies Callable],
    [
      'zip_longest',
      ((args) => {
        const lists = args.map(listOf)
        return Array.from(
          { length: Math.max(0, ...lists.map(({ length }) => length)) },
          (_, at) => new Tuple(lists.map((list) => list[at] ?? null)),
        )
      }) satisfies Callable,
    ],
  ] as [unknown, unknown][])

const pytz = (): Dict =>
  new Dict([
    ['timezone', (([name]) => new Zone(str(name))) satisfies Callable],
    ['utc', utc],
    ['UTC', utc],
  ] as [unknown, unknown][])

/** `modules` of the template context. `now` is the run's start, so that every template of a run sees one time. */
export function pythonModules(now: () => number): Dict {
  return new Dict([
    ['datetime', datetimeModule(now)],
    ['re', reModule()],
    ['pytz', pytz()],
    ['itertools', itertools()],
  ] as [unknown, unknown][])
}
