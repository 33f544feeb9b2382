// The rows of `information_schema` as PostgreSQL has them, for its clients: with its names of types and all of its columns.

import { pgTypes, sqlNames } from '../../base/pg-types.ts'
import { kindShown } from '../relations/information.ts'
import { enforcedKeys } from '../write/named-keys.ts'
import type { Row } from './relation-sql.ts'
import { sequenceRows } from './sequence-rows.ts'
import { keyOf, viewSql, wireOf, type Column, type Constraint, type Model } from './rows.ts'

const listed = (constraint: Constraint, catalog: string): Row => ({
  constraint_catalog: catalog,
  constraint_schema: constraint.relation.schema,
  constraint_name: constraint.name,
  table_catalog: catalog,
  table_schema: constraint.relation.schema,
  table_name: constraint.relation.name,
})

/** Rows by view of `information_schema`; a view that is not here has none. */
export const informationSchemaRows: Record<string, (model: Model) => Row[]> = {
  information_schema_catalog_name: ({ known }) => [{ catalog_name: known.catalog }],

  schemata: ({ known, namespaces }) =>
    namespaces.map((name) => ({ catalog_name: known.catalog, schema_name: name, schema_owner: 'boathouse' })),

  tables: ({ known, relations }) =>
    relations.map(({ schema, name, loaded }) => ({
      table_catalog: known.catalog,
      table_schema: schema,
      table_name: name,
      table_type: kindShown(loaded),
      is_insertable_into: loaded.kind === 'view' ? 'NO' : 'YES',
      is_typed: 'NO',
    })),

  columns: ({ known, relations }) =>
    relations.flatMap(({ schema, name, loaded, columns }) =>
      columns.map((column) => ({
        table_catalog: known.catalog,
        table_schema: schema,
        table_name: name,
        column_name: column.name,
        ordinal_position: column.number,
        ...(column.default === undefined ? {} : { column_default: column.default }),
        is_nullable: column.required ? 'NO' : 'YES',
        ...described(column, known.catalog),
        is_self_referencing: 'NO',
        is_identity: column.identity ? 'YES' : 'NO',
        ...(column.identity && {
          identity_generation: column.identity.toUpperCase(),
          identity_start: String(column.from ?? 1),
          identity_increment: '1',
          identity_minimum: '1',
          identity_maximum: column.type.kind === 'int' ? '2147483647' : '9223372036854775807',
          identity_cycle: 'NO',
        }),
        is_generated: 'NEVER',
        is_updatable: loaded.kind === 'view' ? 'NO' : 'YES',
        dtd_identifier: String(column.number),
      })),
    ),

  views: ({ known, relations }) =>
    relations
      .filter(({ loaded }) => loaded.kind === 'view')
      .map((one) => ({
        table_catalog: known.catalog,
        table_schema: one.schema,
        table_name: one.name,
        view_definition: viewSql(one, known) ?? null,
        check_option: 'NONE',
        is_updatable: 'NO',
        is_insertable_into: 'NO',
      })),

  table_constraints: ({ known, constraints }) =>
    constraints.map((one) => ({
      ...listed(one, known.catalog),
      constraint_type: { primary: 'PRIMARY KEY', unique: 'UNIQUE', foreign: 'FOREIGN KEY', check: 'CHECK' }[
        one.key.kind
      ],
      is_deferrable: 'NO',
      initially_deferred: 'NO',
      enforced: one.key.kind === 'check' || isEnforced(one) ? 'YES' : 'NO',
    })),

  check_constraints: ({ known, constraints }) =>
    constraints.flatMap(({ key, relation, name }) =>
      key.kind === 'check'
        ? [
            {
              constraint_catalog: known.catalog,
              constraint_schema: relation.schema,
              constraint_name: name,
              check_clause: `(${key.sql})`,
            },
          ]
        : [],
    ),

  key_column_usage: ({ known, constraints }) =>
    constraints
      .filter(({ key }) => key.kind !== 'check')
      .flatMap((one) =>
        one.numbers.map((number, at) => ({
          ...listed(one, known.catalog),
          column_name: one.relation.columns[number - 1]!.name,
          ordinal_position: at + 1,
          ...(one.to ? { position_in_unique_constraint: at + 1 } : {}),
        })),
      ),

  constraint_column_usage: ({ known, constraints }) =>
    constraints.flatMap((one) => {
      const { relation, numbers } = one.to ?? one
      return numbers.map((number) => ({
        table_catalog: known.catalog,
        table_schema: relation.schema,
        table_name: relation.name,
        column_name: relation.columns[number - 1]!.name,
        constraint_catalog: known.catalog,
        constraint_schema: one.relation.schema,
        constraint_name: one.name,
      }))
    }),

  referential_constraints: ({ known, constraints }) =>
    constraints.flatMap(({ name, relation, key, to }) => {
      if (!to || key.kind !== 'foreign') return []
      const { rules = {} } = key.to
      const unique = keyOf(constraints, to)
      return [
        {
          constraint_catalog: known.catalog,
          constraint_schema: relation.schema,
          constraint_name: name,
          unique_constraint_catalog: known.catalog,
          unique_constraint_schema: to.relation.schema,
          unique_constraint_name: unique?.name ?? null,
          match_option: 'NONE',
          update_rule: rules.update?.toUpperCase() ?? 'NO ACTION',
          delete_rule: rules.delete?.toUpperCase() ?? 'NO ACTION',
        },
      ]
    }),

  sequences: ({ known, sequences }) => sequenceRows.information(sequences, known.catalog),

  table_privileges: (model) => privileges(model),
  role_table_grants: (model) => privileges(model),
  enabled_roles: ({ known }) => [{ role_name: known.user }],
  applicable_roles: () => [],
  character_sets: ({ known }) => [
    {
      character_set_name: 'UTF8',
      character_repertoire: 'UCS',
      form_of_use: 'UTF8',
      default_collate_catalog: known.catalog,
      default_collate_schema: 'pg_catalog',
      default_collate_name: 'C',
    },
  ],
}

/** What is listed can be read; whether it can be written, the door says. */
const privileges = ({ known, relations }: Model): Row[] =>
  relations.map(({ schema, name }) => ({
    grantor: 'boathouse',
    grantee: known.user,
    table_catalog: known.catalog,
    table_schema: schema,
    table_name: name,
    privilege_type: 'SELECT',
    is_grantable: 'NO',
    with_hierarchy: 'YES',
  }))

/** A character has up to four bytes. */
const lengthsOf = (modifier: number): Row =>
  modifier < 4
    ? { character_octet_length: 1073741824 }
    : { character_maximum_length: modifier - 4, character_octet_length: (modifier - 4) * 4 }

function described(column: Column, catalog: string): Row {
  const { type, array, modifier } = wireOf(column)
  const bits = { int2: 16, int4: 32, int8: 64, float4: 24, float8: 53 }[type as string]
  return {
    data_type: array ? 'ARRAY' : type === 'numeric' ? 'numeric' : sqlNames[type],
    udt_catalog: catalog,
    udt_schema: 'pg_catalog',
    udt_name: array ? `_${type}` : pgTypes[type].name,
    ...(/^(text|varchar|bpchar)$/.test(type) && !array ? lengthsOf(modifier) : {}),
    ...(bits ? { numeric_precision: bits, numeric_precision_radix: 2 } : {}),
    ...(type.startsWith('int') && bits ? { numeric_scale: 0 } : {}),
    ...(type === 'numeric' && modifier >= 4
      ? {
          numeric_precision: (modifier - 4) >> 16,
          numeric_precision_radix: 10,
          numeric_scale: (modifier - 4) & 0xffff,
        }
      : {}),
    ...(['timestamp', 'timestamptz', 'time', 'interval'].includes(type) ? { datetime_precision: 6 } : {}),
    ...(type === 'date' ? { datetime_precision: 0 } : {}),
  }
}

const isEnforced = ({ relation: { loaded }, name }: Constraint): boolean =>
  loaded.kind === 'table' && enforcedKeys(loaded.metadata, loaded.name.name).some((key) => key.name === name)
