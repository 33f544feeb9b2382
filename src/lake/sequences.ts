// What is done with sequences: their definitions, and the numbers that they give. Columns that number their rows have one too, by
// the name that PostgreSQL gives it (`t_id_seq`), whose numbers stay above all that the table holds.

import { Failure } from '../base/failure.ts'
import { noSequence, relationExists, type Sequence, type Sequences, type TableName } from '../catalog/index.ts'
import type { Privilege } from '../govern/index.ts'
import type { SequenceCommand, SequenceOptions } from './sql/sequence.ts'
import type { WrittenName } from './sql/reader.ts'

export type SequenceContext = {
  sequences: Sequences | undefined
  resolve(name: WrittenName): TableName
  /** @throws FORBIDDEN */
  may(privilege: Privilege, name: TableName): Promise<void>
  /** A table or view of this name. */
  isThere(name: TableName): Promise<boolean>
  /** What a table with a column that takes its numbers from it is called, to the asker. */
  readBy(name: TableName): Promise<string | undefined>
  /** What takes back what was done, if the transaction does not come to its end. */
  undo(work: () => Promise<void>): void
}

/** PostgreSQL's word for what was done, and what the asker should know of it. */
type Done = { tag: string; notices: string[] }

const bounds: Record<Sequence['type'], bigint> = { smallint: 2n ** 15n, integer: 2n ** 31n, bigint: 2n ** 63n }

export async function runSequenceCommand(command: SequenceCommand, context: SequenceContext): Promise<Done> {
  const { sequences, may, resolve, undo } = context
  if (!sequences) throw new Failure('SQL_UNSUPPORTED', 'sequences are not kept here')
  const change = async (name: TableName, work: (now: Sequence | undefined) => Sequence | undefined) => {
    let before: Sequence | undefined
    await sequences.change(name, (now) => {
      before = now
      return work(now)
    })
    undo(() => sequences.change(name, () => before))
  }
  const mustBeUnread = async (name: TableName) => {
    const reader = await context.readBy(name)
    if (!reader) return
    throw new Failure('SQL_UNSUPPORTED', `a column of ${reader} takes its numbers from sequence ${name.name}`, {
      hint: 'ALTER TABLE … ALTER COLUMN … DROP DEFAULT first.',
      sqlState: '2BP01',
    })
  }
  switch (command.kind) {
    case 'create-sequence': {
      const name = resolve(command.name)
      await may('create', name)
      const owner = command.options.owner && resolve(command.options.owner.table)
      const made = defined(command.options, undefined)
      const old = await sequences.find(name)
      // That of a table that is gone goes with it.
      const isLeft = old?.sequence.owner && !(await context.isThere({ ...name, name: old.sequence.owner.table }))
      if ((old && !isLeft) || (await context.isThere(name))) {
        if (command.ifNotExists) return done('CREATE SEQUENCE', [`relation "${name.name}" already exists, skipping`])
        throw relationExists(name)
      }
      await change(name, () => withOwner(made, command.options, owner, name))
      return done('CREATE SEQUENCE')
    }
    case 'alter-sequence': {
      const name = resolve(command.name)
      await may('alter', name)
      const found = await sequences.find(name)
      if (!found) {
        if (command.ifExists) return done('ALTER SEQUENCE', [`relation "${name.name}" does not exist, skipping`])
        throw noSequence(name)
      }
      const owner = command.options.owner && resolve(command.options.owner.table)
      if (command.to !== undefined) {
        const to = { ...name, name: command.to }
        await may('create', to)
        if (await context.isThere(to)) throw relationExists(to)
        await mustBeUnread(name)
        await sequences.rename(name, to.name)
        undo(() => sequences.rename(to, name.name))
        return done('ALTER SEQUENCE')
      }
      await change(name, (now) => {
        if (!now) throw noSequence(name)
        return withOwner(defined(command.options, now), command.options, owner, name)
      })
      return done('ALTER SEQUENCE')
    }
    case 'drop-sequence': {
      const notices: string[] = []
      for (const written of command.names) {
        const name = resolve(written)
        await may('drop', name)
        const found = await sequences.find(name)
        if (!found && !command.ifExists) throw noSequence(name)
        if (found) {
          await mustBeUnread(name)
          await change(name, () => undefined)
        } else notices.push(`sequence "${name.name}" does not exist, skipping`)
      }
      return done('DROP SEQUENCE', notices)
    }
  }
}

const done = (tag: string, notices: string[] = []): Done => ({ tag, notices })

function withOwner(
  made: Sequence,
  { owner }: SequenceOptions,
  table: TableName | null | undefined,
  name: TableName,
): Sequence {
  if (owner === undefined) return made
  if (owner !== null && table?.namespace !== name.namespace)
    throw new Failure('SQL_INVALID', 'sequence must be in same schema as table it is linked to', { sqlState: '55000' })
  return { ...made, owner: owner === null ? undefined : { table: table!.name, column: owner.column } }
}

/** A sequence by what is said of it; `now`: what it is. */
function defined(given: SequenceOptions, now: Sequence | undefined): Sequence {
  const type = given.type ?? now?.type ?? 'bigint'
  const increment = given.increment ?? now?.increment ?? 1n
  const end = bounds[type]
  const [lowest, highest] = increment > 0n ? [1n, end - 1n] : [-end, -1n]
  // What only followed from the type does so again; null is what follows from it.
  const isOfType = now !== undefined && given.type !== undefined && given.type !== now.type
  const bound = (said: bigint | null | undefined, before: bigint | undefined, usual: bigint) =>
    said ?? (said === null || isOfType ? usual : (before ?? usual))
  const low = bound(given.least, now?.least, lowest)
  const high = bound(given.most, now?.most, highest)
  const start = given.start ?? now?.start ?? (increment > 0n ? low : high)
  const last = given.restart === undefined ? now?.last : undefined
  const first = given.restart ?? start
  if (low > high) throw invalid(`MINVALUE (${low}) must be less than MAXVALUE (${high})`)
  if (start < low) throw invalid(`START value (${start}) cannot be less than MINVALUE (${low})`)
  if (start > high) throw invalid(`START value (${start}) cannot be greater than MAXVALUE (${high})`)
  if (low < -end || high >= end) throw invalid(`the bounds of a sequence are those of ${type}`)
  if (first < low || first > high) throw invalid(`RESTART value (${first}) is not between ${low} and ${high}`)
  return {
    type,
    start,
    increment,
    least: low,
    most: high,
    cycles: given.cycles ?? now?.cycles ?? false,
    cache: given.cache ?? now?.cache ?? 1,
    last: first === start ? last : first - increment,
    owner: now?.owner,
  }
}

const invalid = (message: string) => new Failure('SQL_INVALID', message, { sqlState: '22023' })

/** Takes so many numbers that follow each other: the first of them. */
export async function takeOf(
  sequences: Sequences,
  name: TableName,
  count: bigint,
): Promise<{ first: bigint; increment: bigint }> {
  let taken: { first: bigint; increment: bigint } | undefined
  await sequences.change(name, (now) => {
    if (!now) throw noSequence(name)
    const { increment, last, start, least, most, cycles } = now
    const isIn = (one: bigint) => one >= least && one <= most
    let first = last === undefined ? start : last + increment
    if (!isIn(first) && cycles) first = increment > 0n ? least : most
    const final = first + increment * (count - 1n)
    if (!isIn(first) || !isIn(final)) {
      const [word, bound] = increment > 0n ? ['maximum', most] : ['minimum', least]
      throw new Failure('QUERY_FAILED', `nextval: reached ${word} value of sequence "${name.name}" (${bound})`, {
        sqlState: '2200H',
      })
    }
    taken = { first, increment }
    return { ...now, last: final }
  })
  return taken!
}

export const outOfBounds = (value: bigint, { name }: TableName, least: bigint, most: bigint): Failure =>
  new Failure('QUERY_FAILED', `setval: value ${value} is out of bounds for sequence "${name}" (${least}..${most})`, {
    sqlState: '22003',
  })

/** What `setval` says: the number that was given last, or is the next to be. */
export async function setOf(sequences: Sequences, name: TableName, value: bigint, isCalled: boolean): Promise<void> {
  await sequences.change(name, (now) => {
    if (!now) throw noSequence(name)
    const { least, most, increment } = now
    if (value < least || value > most) throw outOfBounds(value, name, least, most)
    return { ...now, last: isCalled ? value : value - increment }
  })
}
