// Python's date, datetime, time and timedelta, and pytz's zones.
//
// A moment is days since 1970 and microseconds of its day: whole numbers, exact for every year Python knows, where
// microseconds since 1970 in one number would not be.

import { bind, float, HostObject, numberOf, PyError, str, type Callable, type Kwargs } from '../../../jinja/index.ts'
import { abbreviation, offsetOf } from './zone-tables.ts'
import { showOffset, showTime, strftime } from './strftime.ts'

const [dayMs, dayUs] = [86_400_000, 86_400_000_000]
/** date.min and date.max, in days since 1970. */
const [daysMin, daysMax] = [-719_162, 2_932_896]

/** Microseconds may be more or less than a day. */
function carried(days: number, us: number): [days: number, us: number] {
  const more = Math.floor(us / dayUs)
  return [days + more, us - more * dayUs]
}

function assertInRange(days: number): void {
  if (days < daysMin || days > daysMax) throw new PyError('OverflowError', 'date value out of range')
}

/** Days since 1970 of a civil date. @throws PyError as Python's constructors do */
export function daysOf(year: number, month: number, day: number): number {
  if (year < 1 || year > 9999) throw new PyError('ValueError', `year ${year} is out of range`)
  if (month < 1 || month > 12) throw new PyError('ValueError', 'month must be in 1..12')
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    throw new PyError('ValueError', 'day is out of range for month')
  return date.getTime() / dayMs
}

/** Microseconds since midnight. @throws PyError as Python's constructors do */
export function usOf(hour: number, minute: number, second: number, micro: number): number {
  const limits = {
    hour: [hour, 23],
    minute: [minute, 59],
    second: [second, 59],
    microsecond: [micro, 999_999],
  } as const
  for (const [name, [value, max]] of Object.entries(limits))
    if (value < 0 || value > max) throw new PyError('ValueError', `${name} must be in 0..${max}`)
  return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
}

export class PyTimedelta extends HostObject {
  override readonly typeName = 'timedelta'
  readonly days: number
  readonly us: number
  constructor(days: number, us: number) {
    super()
    ;[this.days, this.us] = carried(days, us)
    if (Math.abs(this.days) > 999_999_999)
      throw new PyError('OverflowError', `days=${this.days}; must have magnitude <= 999999999`)
  }
  get seconds(): number {
    return this.days * 86_400 + this.us / 1_000_000
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'days':
        return this.days
      case 'seconds':
        return Math.floor(this.us / 1_000_000)
      case 'microseconds':
        return this.us % 1_000_000
      case 'total_seconds':
        return (() => float(this.seconds)) satisfies Callable
      default:
        return undefined
    }
  }
  override arithmetic(operator: '+' | '-', other: unknown, reflected: boolean): unknown {
    if (!(other instanceof PyTimedelta)) return undefined
    const [a, b] = reflected ? [other, this] : [this, other]
    return operator === '+'
      ? new PyTimedelta(a.days + b.days, a.us + b.us)
      : new PyTimedelta(a.days - b.days, a.us - b.us)
  }
  override truthy(): boolean {
    return this.days !== 0 || this.us !== 0
  }
  override equals(other: unknown): boolean {
    return other instanceof PyTimedelta && this.compare(other) === 0
  }
  override compare(other: unknown): number | undefined {
    return other instanceof PyTimedelta ? this.days - other.days || this.us - other.us : undefined
  }
  override hashKey(): unknown {
    return `\0timedelta ${this.days} ${this.us}`
  }
  override text(): string {
    const clock = showTime(this.us).replace(/^0/, '')
    return this.days === 0 ? clock : `${this.days} day${Math.abs(this.days) === 1 ? '' : 's'}, ${clock}`
  }
  override repr(): string {
    const parts = [
      ['days', this.days],
      ['seconds', Math.floor(this.us / 1_000_000)],
      ['microseconds', this.us % 1_000_000],
    ].flatMap(([name, value]) => (value === 0 ? [] : [`${name}=${value}`]))
    return `datetime.timedelta(${parts.join(', ') || '0'})`
  }
}

/** A time of day. */
export class PyTime extends HostObject {
  override readonly typeName = 'time'
  readonly us: number
  constructor(us: number) {
    super()
    this.us = us
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'hour':
      case 'minute':
      case 'second':
      case 'microsecond':
        return clockOf(this.us)[name]
      case 'tzinfo':
        return null
      case 'isoformat':
        return (() => showTime(this.us)) satisfies Callable
      case 'strftime':
        return (([format]) =>
          strftime(new PyDate('datetime', daysOf(1900, 1, 1), this.us), str(format))) satisfies Callable
      default:
        return undefined
    }
  }
  override equals(other: unknown): boolean {
    return other instanceof PyTime && other.us === this.us
  }
  override compare(other: unknown): number | undefined {
    return other instanceof PyTime ? this.us - other.us : undefined
  }
  override hashKey(): unknown {
    return `\0time ${this.us}`
  }
  override text(): string {
    return showTime(this.us)
  }
  override repr(): string {
    const { hour, minute, second, microsecond } = clockOf(this.us)
    const tail = microsecond > 0 ? [second, microsecond] : second > 0 ? [second] : []
    return `datetime.time(${[hour, minute, ...tail].join(', ')})`
  }
}

type Clock = { hour: number; minute: number; second: number; microsecond: number }

const clockOf = (us: number): Clock => ({
  hour: Math.floor(us / 3_600_000_000),
  minute: Math.floor(us / 60_000_000) % 60,
  second: Math.floor(us / 1_000_000) % 60,
  microsecond: us % 1_000_000,
})

/** A date or a datetime: the day and the time that its wall clock shows, and the zone when it knows one. */
export class PyDate extends HostObject {
  override readonly typeName: 'date' | 'datetime'
  readonly days: number
  readonly us: number
  readonly zone: Zone | undefined
  /** Microseconds may be more or less than a day. */
  constructor(typeName: 'date' | 'datetime', days: number, us = 0, zone?: Zone) {
    super()
    this.typeName = typeName
    ;[this.days, this.us] = carried(days, us)
    assertInRange(this.days)
    this.zone = zone
  }

  /** What a clock in `zone` shows at a moment, in milliseconds since 1970. */
  static at(ms: number, zone?: Zone): PyDate {
    return new PyDate('datetime', 0, Math.round((ms + (zone?.offsetAt(ms) ?? 0)) * 1000), zone)
  }

  get wallMs(): number {
    return this.days * dayMs + Math.floor(this.us / 1000)
  }
  /** How far the wall clock is ahead of UTC, in milliseconds. */
  get offsetMs(): number {
    return this.zone?.offsetAtWall(this.wallMs) ?? 0
  }
  get instantMs(): number {
    return this.wallMs - this.offsetMs
  }
  get fields(): Clock & { year: number; month: number; day: number } {
    const date = new Date(this.days * dayMs)
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
    return { year, month, day, ...clockOf(this.us) }
  }
  /** 0 is Monday. */
  get weekday(): number {
    return (((this.days + 3) % 7) + 7) % 7
  }

  override attr(name: string): unknown {
    const isDatetime = this.typeName === 'datetime'
    switch (name) {
      case 'year':
      case 'month':
      case 'day':
        return this.fields[name]
      case 'weekday':
        return (() => this.weekday) satisfies Callable
      case 'isoweekday':
        return (() => this.weekday + 1) satisfies Callable
      case 'isocalendar':
        return (() => isoCalendar(this)) satisfies Callable
      case 'isoformat':
        return ((args, kwargs) => {
          const [separator = 'T'] = bind('isoformat', ['sep?', 'timespec?'], args, kwargs)
          return this.iso(str(separator))
        }) satisfies Callable
      case 'strftime':
        return (([format]) => strftime(this, str(format))) satisfies Callable
      case 'ctime':
        return (() => strftime(this, '%a %b %e %H:%M:%S %Y')) satisfies Callable
      case 'replace':
        return ((args, kwargs) => this.#replace(args, kwargs)) satisfies Callable
      case 'toordinal':
        return (() => this.days - daysMin + 1) satisfies Callable
      default:
        return isDatetime ? this.#datetimeAttr(name) : undefined
    }
  }

  #datetimeAttr(name: string): unknown {
    switch (name) {
      case 'hour':
      case 'minute':
      case 'second':
      case 'microsecond':
        return this.fields[name]
      case 'tzinfo':
        return this.zone ?? null
      case 'date':
        return (() => new PyDate('date', this.days)) satisfies Callable
      case 'time':
      case 'timetz':
        return (() => new PyTime(this.us)) satisfies Callable
      case 'timestamp':
        return (() => float(this.instantMs / 1000 + (this.us % 1000) / 1_000_000)) satisfies Callable
      case 'astimezone':
        return ((args, kwargs) => this.#inZone(args[0] ?? kwargs['tz'])) satisfies Callable
      case 'utcoffset':
        return (() => (this.zone ? new PyTimedelta(0, this.offsetMs * 1000) : null)) satisfies Callable
      case 'tzname':
        return (() => this.zone?.nameAt(this.instantMs) ?? null) satisfies Callable
      case 'dst':
        return (() =>
          this.zone ? new PyTimedelta(0, this.zone.savedAt(this.instantMs) * 1000) : null) satisfies Callable
      default:
        return undefined
    }
  }

  #inZone(zone: unknown): PyDate {
    const to = zone instanceof Zone ? zone : utc
    const instant = this.instantMs
    return new PyDate('datetime', 0, (instant + to.offsetAt(instant)) * 1000 + (this.us % 1000), to)
  }

  #replace(args: unknown[], kwargs: Kwargs): PyDate {
    const names = ['year?', 'month?', 'day?', 'hour?', 'minute?', 'second?', 'microsecond?', 'tzinfo?', 'fold?']
    const bound = bind('replace', this.typeName === 'date' ? names.slice(0, 3) : names, args, kwargs)
    const { fields } = this
    const [year, month, day, hour, minute, second, micro] = (
      ['year', 'month', 'day', 'hour', 'minute', 'second', 'microsecond'] as const
    ).map((name, index) => numberOf(bound[index]) ?? fields[name]) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    const zone = bound[7] === undefined ? this.zone : bound[7] instanceof Zone ? bound[7].unlocalized : undefined
    return new PyDate(this.typeName, daysOf(year, month, day), usOf(hour, minute, second, micro), zone)
  }

  iso(separator = 'T'): string {
    const { year, month, day } = this.fields
    const date = [String(year).padStart(4, '0'), ...[month, day].map((part) => String(part).padStart(2, '0'))].join('-')
    if (this.typeName === 'date') return date
    return `${date}${separator}${showTime(this.us)}${this.zone ? showOffset(this.offsetMs, ':') : ''}`
  }

  override arithmetic(operator: '+' | '-', other: unknown, reflected: boolean): unknown {
    if (other instanceof PyTimedelta && !(operator === '-' && reflected)) {
      const sign = operator === '+' ? 1 : -1
      const days = this.days + sign * other.days
      return this.typeName === 'date'
        ? new PyDate('date', days)
        : new PyDate('datetime', days, this.us + sign * other.us, this.zone)
    }
    if (!(other instanceof PyDate) || operator === '+' || other.typeName !== this.typeName) return undefined
    const [a, b] = reflected ? [other, this] : [this, other]
    sameKnowledge(a, b, 'subtract')
    return new PyTimedelta(a.days - b.days, a.us - b.us - (a.offsetMs - b.offsetMs) * 1000)
  }

  override equals(other: unknown): boolean {
    if (!(other instanceof PyDate) || other.typeName !== this.typeName) return false
    return (this.zone === undefined) === (other.zone === undefined) && this.#order(other) === 0
  }
  override compare(other: unknown): number | undefined {
    if (!(other instanceof PyDate) || other.typeName !== this.typeName) return undefined
    sameKnowledge(this, other, 'compare')
    return this.#order(other)
  }
  #order(other: PyDate): number {
    return this.instantMs - other.instantMs || (this.us % 1000) - (other.us % 1000)
  }
  override hashKey(): unknown {
    return `\0${this.typeName} ${this.instantMs} ${this.us % 1000}`
  }
  override text(): string {
    return this.iso(' ')
  }
  override repr(): string {
    const { year, month, day, hour, minute, second, microsecond } = this.fields
    if (this.typeName === 'date') return `datetime.date(${year}, ${month}, ${day})`
    const tail = microsecond > 0 ? [second, microsecond] : second > 0 ? [second] : []
    const zone = this.zone ? [`tzinfo=${this.zone.repr()}`] : []
    return `datetime.datetime(${[year, month, day, hour, minute, ...tail, ...zone].join(', ')})`
  }
}

function sameKnowledge(a: PyDate, b: PyDate, what: string): void {
  if (a.typeName === 'datetime' && (a.zone === undefined) !== (b.zone === undefined))
    throw new PyError('TypeError', `can't ${what} offset-naive and offset-aware datetimes`)
}

/** `(year, week, weekday)` of ISO 8601, as a list. */
export function isoCalendar(date: PyDate): number[] {
  const thursday = new Date((date.days - date.weekday + 3) * dayMs)
  const year = thursday.getUTCFullYear()
  return [year, Math.floor((thursday.getTime() / dayMs - daysOf(year, 1, 1)) / 7) + 1, date.weekday + 1]
}

/** A time zone: pytz's by IANA name, or one with a fixed offset. */
export class Zone extends HostObject {
  override readonly typeName: string
  readonly name: string
  readonly #fixedMs: number | undefined
  constructor(name: string, fixedMs?: number) {
    super()
    this.name = name
    this.#fixedMs = name === 'UTC' ? 0 : fixedMs
    this.typeName = name === 'UTC' ? 'UTC' : 'DstTzInfo'
    if (this.#fixedMs === undefined && offsetOf(name, 0) === undefined)
      throw new PyError('UnknownTimeZoneError', `'${name}'`)
  }

  /**
   * What pytz makes of a zone that is handed to `datetime(tzinfo=…)` instead of `localize`: its local mean time of old,
   * in whole minutes. Surprising, and what projects compile to.
   */
  get unlocalized(): Zone {
    if (this.#fixedMs !== undefined) return this
    return new Zone(this.name, Math.round(offsetOf(this.name, Date.UTC(1800, 0, 1))! / 60_000) * 60_000)
  }

  /** Milliseconds that wall clocks are ahead of UTC at an instant. */
  offsetAt(instant: number): number {
    return this.#fixedMs ?? offsetOf(this.name, instant)!
  }
  offsetAtWall(wallMs: number): number {
    return this.offsetAt(wallMs - this.offsetAt(wallMs))
  }
  /** Milliseconds of daylight saving: more than the least offset of that year. */
  savedAt(instant: number): number {
    const year = new Date(instant).getUTCFullYear()
    const [winter, summer] = [Date.UTC(year, 0, 1), Date.UTC(year, 6, 1)].map((each) => this.offsetAt(each))
    return this.offsetAt(instant) - Math.min(winter!, summer!)
  }
  nameAt(instant: number): string {
    if (this.name === 'UTC') return 'UTC'
    return this.#fixedMs === undefined ? abbreviation(this.name, instant) : 'LMT'
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'zone':
        return this.name
      case 'localize':
        return (([date]) => {
          if (!(date instanceof PyDate) || date.typeName === 'date')
            throw new PyError('TypeError', 'localize() takes a datetime')
          if (date.zone) throw new PyError('ValueError', 'Not naive datetime (tzinfo is already set)')
          return new PyDate('datetime', date.days, date.us, this)
        }) satisfies Callable
      case 'normalize':
        return (([date]) => {
          if (!(date instanceof PyDate) || !date.zone) throw new PyError('ValueError', 'Naive time - no tzinfo set')
          return new PyDate(
            'datetime',
            0,
            (date.instantMs + this.offsetAt(date.instantMs)) * 1000 + (date.us % 1000),
            this,
          )
        }) satisfies Callable
      case 'utcoffset':
        return (([date]) =>
          date instanceof PyDate ? new PyTimedelta(0, this.offsetAtWall(date.wallMs) * 1000) : null) satisfies Callable
      default:
        return undefined
    }
  }
  override equals(other: unknown): boolean {
    return other instanceof Zone && other.name === this.name && other.#fixedMs === this.#fixedMs
  }
  override text(): string {
    return this.name
  }
  override repr(): string {
    return this.name === 'UTC' ? '<UTC>' : `<DstTzInfo '${this.name}'>`
  }
}

export const utc = new Zone('UTC')
