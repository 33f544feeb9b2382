// Filters in the address bar: a link shows a colleague the same numbers, and Back undoes a filter. A filter that has
// its default is not written. Pure; the two functions are each other's inverse.
//
//   region=North&region=South    two values         region=*               everything, although the default is not
//   period=2024-01-01..          from a day on      period=..              all time, although the default is not

import type { DateRange, Filter, FilterValues } from '../../../src/contract/index.ts'

/** Words that the app itself uses in addresses. */
const reserved = new Set(['as-of', 'env', 'token', 'next'])
export const nameOf = ({ id }: Filter): string => (reserved.has(id) ? `filter.${id}` : id)

const date = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/
export const isRange = (value: string[] | DateRange): value is DateRange => !Array.isArray(value)

/** The value of every filter; what cannot be understood counts as not given. */
export function fromSearch(filters: readonly Filter[], search: URLSearchParams): FilterValues {
  return Object.fromEntries(filters.map((filter) => [filter.id, valueOf(filter, search.getAll(nameOf(filter)))]))
}

function valueOf(filter: Filter, texts: string[]): string[] | DateRange {
  if (texts.length === 0) return filter.default
  if (filter.kind === 'select') {
    if (texts[0] === '*') return []
    const values = [...new Set(texts.map((text) => (text.startsWith('\\') ? text.slice(1) : text)))]
    return filter.multiple ? values : values.slice(0, 1)
  }
  const [from, to, ...rest] = texts[0]!.split('..')
  const fits = (text: string | undefined) => text === '' || date.test(text ?? ' ')
  return rest.length === 0 && fits(from) && fits(to) ? { from: from || null, to: to || null } : filter.default
}

/** What to write into the address for these values: null removes a name. */
export function toSearch(filters: readonly Filter[], values: FilterValues): Record<string, string[] | null> {
  return Object.fromEntries(
    filters.map((filter) => {
      const value = values[filter.id] ?? filter.default
      return [
        nameOf(filter),
        isDefault(filter, value)
          ? null
          : isRange(value)
            ? [`${value.from ?? ''}..${value.to ?? ''}`]
            : value.length === 0
              ? ['*']
              : value.map(escape),
      ]
    }),
  )
}
const escape = (value: string): string =>
  value === '' || value === '*' || value.startsWith('\\') ? `\\${value}` : value

export function isDefault(filter: Filter, value: string[] | DateRange): boolean {
  if (filter.kind === 'date_range')
    return isRange(value) && value.from === filter.default.from && value.to === filter.default.to
  return !isRange(value) && value.length === filter.default.length && filter.default.every((one) => value.includes(one))
}
