// Python's `datetime` and `pytz`, as names for templates.

import { bind, Dict, int, numberOf, PyError, str, type Callable } from '../../../jinja/index.ts'
import { daysOf, PyDate, PyTime, PyTimedelta, usOf, utc, Zone } from './dates.ts'
import { PyClass } from './py-class.ts'
import { parseDate, parseTime, parseTimestamp, strptime } from './strftime.ts'

const whole = (value: unknown): number => {
  if (value === undefined || value === null) return 0
  const number = numberOf(value)
  if (number === undefined || !Number.isInteger(number))
    throw new PyError('TypeError', `'${str(value)}' cannot be interpreted as an integer`)
  return int(number)
}
const zoneOf = (value: unknown): Zone | undefined => (value instanceof Zone ? value : undefined)

function fromIso<Value>(parsed: Value | undefined, text: unknown): Value {
  if (parsed === undefined) throw new PyError('ValueError', `Invalid isoformat string: '${str(text)}'`)
  return parsed
}

/** `now`: milliseconds since 1970, for `now()` and `today()`. */
export function datetimeModule(now: () => number): Dict {
  const today = () => new PyDate('date', PyDate.at(now()).days)
  const date = new PyClass(
    'datetime.date',
    (args, kwargs) => {
      const [year, month, day] = bind('date', ['year', 'month', 'day'], args, kwargs).map(whole)
      return new PyDate('date', daysOf(year!, month!, day!))
    },
    {
      today: today satisfies Callable,
      fromisoformat: (([text]) => fromIso(parseDate(str(text)), text)) satisfies Callable,
      fromordinal: (([days]) => new PyDate('date', whole(days) - 719_163)) satisfies Callable,
      fromtimestamp: (([seconds]) =>
        new PyDate('date', PyDate.at((numberOf(seconds) ?? 0) * 1000).days)) satisfies Callable,
      min: new PyDate('date', daysOf(1, 1, 1)),
      max: new PyDate('date', daysOf(9999, 12, 31)),
    },
  )
  const timedelta = new PyClass(
    'datetime.timedelta',
    (args, kwargs) => {
      const names = ['days?', 'seconds?', 'microseconds?', 'milliseconds?', 'minutes?', 'hours?', 'weeks?']
      const bound = bind('timedelta', names, args, kwargs).map((each) => numberOf(each) ?? 0)
      const [days, seconds, us, ms, minutes, hours, weeks] = bound as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ]
      const wholeDays = days + weeks * 7
      const fraction = wholeDays - Math.floor(wholeDays)
      const rest = ((fraction * 24 + hours) * 3600 + minutes * 60 + seconds) * 1_000_000 + ms * 1000 + us
      return new PyTimedelta(Math.floor(wholeDays), Math.round(rest))
    },
    { min: new PyTimedelta(-999_999_999, 0), max: new PyTimedelta(999_999_999, 86_399_999_999) },
  )
  const time = new PyClass(
    'datetime.time',
    (args, kwargs) => {
      const names = ['hour?', 'minute?', 'second?', 'microsecond?', 'tzinfo?']
      const [hour, minute, second, micro] = bind('time', names, args, kwargs).slice(0, 4).map(whole)
      return new PyTime(usOf(hour!, minute!, second!, micro!))
    },
    {
      fromisoformat: (([text]) => fromIso(parseTime(str(text)), text)) satisfies Callable,
      min: new PyTime(0),
      max: new PyTime(86_399_999_999),
    },
  )
  return new Dict([
    ['date', date],
    ['datetime', datetimeClass(now)],
    ['time', time],
    ['timedelta', timedelta],
    ['timezone', new Dict([['utc', utc]])],
  ] as [unknown, unknown][])
}

function datetimeClass(now: () => number): PyClass {
  const current: Callable = (args, kwargs) => PyDate.at(now(), zoneOf(args[0] ?? kwargs['tz']))
  return new PyClass(
    'datetime.datetime',
    (args, kwargs) => {
      const names = ['year', 'month', 'day', 'hour?', 'minute?', 'second?', 'microsecond?', 'tzinfo?', 'fold?']
      const bound = bind('datetime', names, args, kwargs)
      const [year, month, day, hour, minute, second, micro] = bound.slice(0, 7).map(whole)
      const days = daysOf(year!, month!, day!)
      return new PyDate('datetime', days, usOf(hour!, minute!, second!, micro!), zoneOf(bound[7])?.unlocalized)
    },
    {
      now: current,
      today: (() => PyDate.at(now())) satisfies Callable,
      utcnow: (() => PyDate.at(now())) satisfies Callable,
      fromisoformat: (([text]) => fromIso(parseTimestamp(str(text)), text)) satisfies Callable,
      fromtimestamp: ((args, kwargs) =>
        PyDate.at((numberOf(args[0]) ?? 0) * 1000, zoneOf(args[1] ?? kwargs['tz']))) satisfies Callable,
      utcfromtimestamp: (([seconds]) => PyDate.at((numberOf(seconds) ?? 0) * 1000)) satisfies Callable,
      fromordinal: (([days]) => new PyDate('datetime', whole(days) - 719_163)) satisfies Callable,
      strptime: (([text, format]) => strptime(str(text), str(format))) satisfies Callable,
      combine: (([day, time]) => {
        if (!(day instanceof PyDate) || !(time instanceof PyTime))
          throw new PyError('TypeError', 'combine() takes a date and a time')
        return new PyDate('datetime', day.days, time.us)
      }) satisfies Callable,
      min: new PyDate('datetime', daysOf(1, 1, 1)),
      max: new PyDate('datetime', daysOf(9999, 12, 31), 86_399_999_999),
    },
  )
}

/** The runtime lists only the zones of places; and anew each time, which takes longer than most templates. */
let zones: readonly string[] | undefined
const zoneNames = () => [...(zones ??= [...Intl.supportedValuesOf('timeZone'), 'UTC'].sort())]

export function pytzModule(): Dict {
  return new Dict([
    ['timezone', (([name]) => new Zone(str(name))) satisfies Callable],
    ['utc', utc],
    ['UTC', utc],
    [
      'FixedOffset',
      (([minutes]) => new Zone(`pytz.FixedOffset(${whole(minutes)})`, whole(minutes) * 60_000)) satisfies Callable,
    ],
    ['all_timezones', zoneNames()],
    ['common_timezones', zoneNames()],
  ] as [unknown, unknown][])
}
