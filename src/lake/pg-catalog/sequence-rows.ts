// Sequences as PostgreSQL shows them: those that somebody made, and one for each column that numbers its rows.

import type { NamedSequence } from '../../catalog/index.ts'
import { ownSequence } from '../write/numbered.ts'
import { defaultOid, distinctOids, namespaceOid, systemRelationOid, typeOid } from './oids.ts'
import type { Row } from './relation-sql.ts'
import type { Relation } from './rows.ts'

export type SequenceRelation = {
  oid: number
  schema: string
  name: string
  sequence: Omit<NamedSequence['sequence'], 'owner'>
  /** The column that it is for; `own`: it numbers its rows by itself, and goes with it. */
  of: { relation: Relation; number: number; own: boolean } | undefined
}

/** The highest numbers of columns that number their rows, by schema and name of their sequences. */
export type LastNumbers = ReadonlyMap<string, bigint>

export function sequenceRelations(made: readonly NamedSequence[], relations: readonly Relation[]): SequenceRelation[] {
  const own = relations.flatMap((relation) =>
    relation.columns.flatMap(({ name, number, identity, serial, type, from = 1 }): Omit<SequenceRelation, 'oid'>[] => {
      if (!identity && !serial) return []
      const most = type.kind === 'int' ? 2n ** 31n - 1n : 2n ** 63n - 1n
      const numbers = { start: BigInt(from), increment: 1n, least: 1n, most, cycles: false, cache: 1, last: undefined }
      return [
        {
          schema: relation.schema,
          name: ownSequence(relation.name, name),
          sequence: { type: type.kind === 'int' ? 'integer' : 'bigint', ...numbers },
          of: { relation, number, own: identity !== undefined },
        },
      ]
    }),
  )
  const isOwn = new Set(own.map(({ schema, name }) => `${schema}.${name}`))
  const others = made.flatMap(({ name: { namespace: schema, name }, sequence }): Omit<SequenceRelation, 'oid'>[] => {
    if (isOwn.has(`${schema}.${name}`)) return []
    const { owner } = sequence
    const relation = owner && relations.find((one) => one.schema === schema && one.name === owner.table)
    // It went with its table.
    if (owner && !relation) return []
    const number = relation?.columns.find((one) => one.name.toLowerCase() === owner?.column.toLowerCase())?.number
    const of = relation && number !== undefined ? { relation, number, own: false } : undefined
    return [{ schema, name, sequence, of }]
  })
  const all = [...others, ...own]
  const oids = distinctOids(all.map(({ schema, name }) => `sequence ${schema}.${name}`))
  return all.map((one) => ({ ...one, oid: oids.get(`sequence ${one.schema}.${one.name}`)! }))
}

const lastOf = (last: bigint | undefined): Row => (last === undefined ? {} : { last_value: String(last) })

export const sequenceRows = {
  pg_sequence: (all: readonly SequenceRelation[]): Row[] =>
    all.map(({ oid, sequence }) => ({
      seqrelid: oid,
      seqtypid: typeOid(sequence.type),
      seqstart: String(sequence.start),
      seqincrement: String(sequence.increment),
      seqmax: String(sequence.most),
      seqmin: String(sequence.least),
      seqcache: sequence.cache,
      seqcycle: sequence.cycles,
    })),

  pg_sequences: (all: readonly SequenceRelation[], last: LastNumbers = new Map()): Row[] =>
    all.map(({ schema, name, sequence }) => ({
      schemaname: schema,
      sequencename: name,
      sequenceowner: 'boathouse',
      data_type: sequence.type,
      start_value: String(sequence.start),
      min_value: String(sequence.least),
      max_value: String(sequence.most),
      increment_by: String(sequence.increment),
      cycle: sequence.cycles,
      cache_size: sequence.cache,
      ...lastOf(sequence.last ?? last.get(`${schema}.${name}`)),
    })),

  pg_depend: (all: readonly SequenceRelation[]): Row[] =>
    all.flatMap(({ oid, schema, of }) => {
      const own = { classid: systemRelationOid('pg_class'), objid: oid, objsubid: 0 }
      const inSchema = {
        ...own,
        refclassid: systemRelationOid('pg_namespace'),
        refobjid: namespaceOid(schema),
        refobjsubid: 0,
        deptype: 'n',
      }
      if (!of) return [inSchema]
      const ofColumn = {
        ...own,
        refclassid: systemRelationOid('pg_class'),
        refobjid: of.relation.oid,
        refobjsubid: of.number,
        deptype: of.own ? 'i' : 'a',
      }
      const column = of.relation.columns[of.number - 1]!
      if (!column.default?.startsWith('nextval(')) return [inSchema, ofColumn]
      // pg_dump writes such a default behind the sequence.
      const ofDefault = {
        classid: systemRelationOid('pg_attrdef'),
        objid: defaultOid(of.relation.oid, of.number),
        objsubid: 0,
        refclassid: systemRelationOid('pg_class'),
        refobjid: oid,
        refobjsubid: 0,
        deptype: 'n',
      }
      return [inSchema, ofColumn, ofDefault]
    }),

  /** Those of identity columns are the columns' alone. */
  information: (all: readonly SequenceRelation[], catalog: string): Row[] =>
    all
      .filter(({ of }) => !of?.own)
      .map(({ schema, name, sequence }) => ({
        sequence_catalog: catalog,
        sequence_schema: schema,
        sequence_name: name,
        data_type: sequence.type,
        numeric_precision: { smallint: 16, integer: 32, bigint: 64 }[sequence.type],
        numeric_precision_radix: 2,
        numeric_scale: 0,
        start_value: String(sequence.start),
        minimum_value: String(sequence.least),
        maximum_value: String(sequence.most),
        increment: String(sequence.increment),
        cycle_option: sequence.cycles ? 'YES' : 'NO',
      })),
}
