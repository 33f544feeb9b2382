// CREATE, ALTER and DROP SEQUENCE, as PostgreSQL and DuckDB spell them.

import type { Sequence } from '../../catalog/index.ts'
import { nameOf, tokens } from './tokens.ts'
import type { Reader, WrittenName } from './reader.ts'

export type SequenceOptions = {
  type?: Sequence['type']
  start?: bigint
  increment?: bigint
  /** Null: the bound of the type. */
  least?: bigint | null
  most?: bigint | null
  cycles?: boolean
  cache?: number
  /** Null: from its start. */
  restart?: bigint | null
  /** Null: of no column. */
  owner?: { table: WrittenName; column: string } | null
}
export type SequenceCommand =
  | { kind: 'create-sequence'; name: WrittenName; ifNotExists: boolean; options: SequenceOptions }
  | { kind: 'alter-sequence'; name: WrittenName; ifExists: boolean; options: SequenceOptions; to: string | undefined }
  | { kind: 'drop-sequence'; names: WrittenName[]; ifExists: boolean }

/** Undefined when the text is none of these. */
export function sequenceCommand(reader: Reader): SequenceCommand | undefined {
  if (reader.take('create', 'sequence')) {
    const ifNotExists = reader.take('if', 'not', 'exists')
    return { kind: 'create-sequence', name: reader.name('a sequence'), ifNotExists, options: options(reader) }
  }
  if (reader.sees('create', 'temp', 'sequence') || reader.sees('create', 'temporary', 'sequence'))
    throw reader.unsupported('a temporary sequence', 'Leave TEMPORARY out, and drop it at the end.')
  if (reader.take('alter', 'sequence')) {
    const ifExists = reader.take('if', 'exists')
    const name = reader.name('a sequence')
    const to = reader.take('rename', 'to') ? reader.identifier('a sequence') : undefined
    if (reader.take('owner', 'to')) reader.identifier('an owner') // nobody owns one here
    return { kind: 'alter-sequence', name, ifExists, to, options: options(reader) }
  }
  if (!reader.take('drop', 'sequence')) return undefined
  const ifExists = reader.take('if', 'exists')
  const names = reader.separated(() => reader.name('a sequence'))
  void (reader.take('cascade') || reader.take('restrict'))
  reader.end()
  return { kind: 'drop-sequence', names, ifExists }
}

function options(reader: Reader): SequenceOptions {
  const given: SequenceOptions = {}
  while (!reader.isAtEnd())
    if (reader.take('as')) given.type = typeOf(reader)
    else if (reader.take('increment')) given.increment = (reader.take('by'), number(reader))
    else if (reader.take('minvalue')) given.least = number(reader)
    else if (reader.take('maxvalue')) given.most = number(reader)
    else if (reader.take('no', 'minvalue')) given.least = null
    else if (reader.take('no', 'maxvalue')) given.most = null
    else if (reader.take('start')) given.start = (reader.take('with'), number(reader))
    else if (reader.take('restart')) {
      reader.take('with')
      given.restart = reader.peek('-') || /^\d/.test(reader.peekText()) ? number(reader) : null
    } else if (reader.take('cache')) given.cache = Number(number(reader))
    else if (reader.take('cycle')) given.cycles = true
    else if (reader.take('no', 'cycle')) given.cycles = false
    else if (reader.take('owned', 'by')) given.owner = reader.take('none') ? null : ownerOf(reader)
    else throw reader.invalid('expected START WITH, INCREMENT BY, MINVALUE, MAXVALUE, CACHE, CYCLE or OWNED BY')
  if (given.increment === 0n) throw reader.invalid('a sequence goes by steps other than 0')
  return given
}

function ownerOf(reader: Reader): { table: WrittenName; column: string } {
  const { table, column } = reader.columnOfTable()
  return { table, column }
}

const types: Record<string, Sequence['type']> = {
  smallint: 'smallint',
  int2: 'smallint',
  integer: 'integer',
  int: 'integer',
  int4: 'integer',
  bigint: 'bigint',
  int8: 'bigint',
}

function typeOf(reader: Reader): Sequence['type'] {
  const word = reader.identifier('a type').toLowerCase()
  const type = types[word]
  if (!type) throw reader.invalid(`expected smallint, integer or bigint, not ${word}`)
  return type
}

function number(reader: Reader): bigint {
  const sign = reader.takeSymbol('-') ? -1n : 1n
  const text = reader.peekText().replaceAll('_', '')
  if (!/^\d{1,19}$/.test(text)) throw reader.invalid('expected a whole number')
  reader.until('a whole number', ...optionWords)
  return sign * BigInt(text)
}
const optionWords = 'as increment minvalue maxvalue no start restart cache cycle owned'.split(' ').map((word) => [word])

/** `nextval('public.s'::regclass)`, in parentheses or not: the sequence that it names; undefined for anything else. */
export function nextvalOf(sql: string): WrittenName | undefined {
  const plain = [...tokens(sql)]
  while (plain[0]?.text === '(' && plain.at(-1)?.text === ')') plain.splice(0, plain.length, ...plain.slice(1, -1))
  const literal = plain.find(({ kind }) => kind === 'string')
  const shape = plain.map((token) => (token === literal ? "''" : token.text.toLowerCase())).join(' ')
  if (!literal || !/^(pg_catalog \. )?nextval \( ''( :: (pg_catalog \. )?(regclass|text|varchar))? \)$/.test(shape))
    return undefined
  return sequenceNamed(literal.text.slice(1, -1).replaceAll("''", "'"))
}

/** A name inside of a text, `public."S"`: without quotes it is one in small letters. */
export function sequenceNamed(text: string): WrittenName {
  return [...tokens(text)]
    .filter(({ kind }) => kind === 'word' || kind === 'quoted')
    .map((token) => (token.kind === 'word' ? token.text.toLowerCase() : nameOf(token)))
}
