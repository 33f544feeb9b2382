// The statement that would make a table or view as it is now.

import type { Loaded } from '../../catalog/index.ts'
import { currentViewVersion, defaultSortOrder, defaultSpec, fieldById, type Transform } from '../../iceberg/index.ts'
import { isColumnProperty } from '../write/column-property.ts'
import { writtenSchema, type WrittenField } from '../write/computed-defaults.ts'
import { enforcedKeys, foreignKeys, givenPrimary, primaryOf, rulesText, uniqueKeys } from '../write/named-keys.ts'
import { numberedFields } from '../write/numbered.ts'
import { rowChecks } from '../write/row-checks.ts'
import { quoteName, quoteText } from '../sql/tokens.ts'
import { literalSql, sqlType } from '../types.ts'

export function createText(one: Loaded): string {
  const name = `${quoteName(one.name.namespace)}.${quoteName(one.name.name)}`
  if (one.kind === 'view') {
    const version = currentViewVersion(one.metadata)
    const own = version?.representations.find(({ dialect }) => dialect.toLowerCase() === 'duckdb')
    return `CREATE VIEW ${name} AS ${(own ?? version?.representations[0])?.sql ?? ''}`
  }
  const { metadata } = one
  const schema = writtenSchema(metadata)
  const path = (id: number) => (fieldById(schema, id)?.path ?? '').split('.').map(quoteName).join('.')
  const numbered = numberedFields(metadata)
  const columns = schema.fields.map((one: WrittenField) => {
    const { id, name: column, type, declared, required, doc, writeDefault, computed } = one
    return [
      `  ${quoteName(column)} ${declared ?? sqlType(type)}`,
      ...(required ? ['NOT NULL'] : []),
      ...numbered.flatMap(({ field, always, from }) =>
        field.id === id ? [`GENERATED ${always ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY (START WITH ${from})`] : [],
      ),
      ...(writeDefault === undefined || (typeof writeDefault === 'object' && 'json' in writeDefault)
        ? []
        : [`DEFAULT ${literalSql(type, writeDefault)}`]),
      ...(computed === undefined ? [] : [`DEFAULT ${computed}`]),
      ...(doc ? [`COMMENT ${quoteText(doc)}`] : []),
    ].join(' ')
  })
  const checks = rowChecks(metadata, schema.fields).map(
    (one) => `  CONSTRAINT ${quoteName(one.name)} CHECK (${one.sql})`,
  )
  const names = (all: readonly string[]) => `(${all.map(quoteName).join(', ')})`
  const constraint = (key: string) => `CONSTRAINT ${quoteName(key)} `
  const enforced = new Set(enforcedKeys(metadata, one.name.name).map((key) => key.name))
  const primary = givenPrimary(metadata)
  const named = primary === undefined ? '' : constraint(primary)
  const held = (key: string) => (enforced.has(key) ? '' : ' NOT ENFORCED')
  const keys = [
    ...(schema.identifierFieldIds.length > 0
      ? [
          `${named}PRIMARY KEY (${schema.identifierFieldIds.map(path).join(', ')})${held(primaryOf(metadata, one.name.name))}`,
        ]
      : []),
    ...uniqueKeys(metadata).map((key) => `${constraint(key.name)}UNIQUE ${names(key.columns)}${held(key.name)}`),
    ...foreignKeys(metadata).map(
      ({ name: key, columns: own, to }) =>
        `${constraint(key)}FOREIGN KEY ${names(own)} REFERENCES ${quoteName(to.namespace)}.${quoteName(to.table)}${to.columns ? ` ${names(to.columns)}` : ''}${rulesText(to.rules)} NOT ENFORCED`,
    ),
  ]
  const defined = [...columns, ...keys.map((key) => `  ${key}`), ...checks]
  const { comment, ...given } = metadata.properties
  const properties = Object.fromEntries(Object.entries(given).filter(([key]) => !isColumnProperty(key)))
  const partitions = defaultSpec(metadata)
    .fields.filter(({ transform }) => transform.kind !== 'void')
    .map(({ transform, sourceIds }) => transformText(transform, sourceIds.map(path)))
  const order = defaultSortOrder(metadata)?.fields.map(
    ({ transform, sourceIds, direction, nullOrder }) =>
      `${transformText(transform, sourceIds.map(path))} ${direction.toUpperCase()} ${nullOrder === 'nulls-first' ? 'NULLS FIRST' : 'NULLS LAST'}`,
  )
  const pairs = Object.entries({ 'format-version': String(metadata.formatVersion), ...properties })
  return [
    `CREATE TABLE ${name} (\n${defined.join(',\n')}\n)`,
    ...(partitions.length > 0 ? [`PARTITIONED BY (${partitions.join(', ')})`] : []),
    ...(order && order.length > 0 ? [`SORTED BY (${order.join(', ')})`] : []),
    ...(comment === undefined ? [] : [`COMMENT ${quoteText(comment)}`]),
    `WITH (${pairs.map(([key, value]) => `${quoteText(key)} = ${quoteText(value)}`).join(', ')})`,
  ].join('\n')
}

/** Several columns, and transforms of other names, are of engines that know them: shown, not to be run here. */
function transformText(transform: Transform, columns: readonly string[]): string {
  const column = columns.join(', ')
  switch (transform.kind) {
    case 'identity':
      return column
    case 'bucket':
      return `bucket(${transform.buckets}, ${column})`
    case 'truncate':
      return `truncate(${transform.width}, ${column})`
    case 'other':
      return `${transform.text}(${column})`
    default:
      return `${transform.kind}(${column})`
  }
}
