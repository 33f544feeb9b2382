// Constraints as DDL would spell them: what `adapter.render_raw_…_constraints` answers.

import { Dict, listOf, str } from '../../jinja/index.ts'

const text = (dict: Dict, key: string): string => {
  const value = dict.get(key)
  return value === undefined || value === null ? '' : str(value)
}

function ofColumn(constraint: Dict): string {
  const expression = text(constraint, 'expression')
  switch (text(constraint, 'type')) {
    case 'check':
      return expression === '' ? '' : `check (${expression})`
    case 'not_null':
      return `not null ${expression}`.trim()
    case 'unique':
      return `unique ${expression}`.trim()
    case 'primary_key':
      return `primary key ${expression}`.trim()
    case 'foreign_key':
      return foreignKey(constraint) || `references ${expression}`
    default:
      return expression
  }
}

const foreignKey = (constraint: Dict): string => {
  const [to, columns] = [text(constraint, 'to'), constraint.get('to_columns')]
  return to === ''
    ? ''
    : `references ${to} (${listOf(columns ?? [])
        .map(str)
        .join(', ')})`
}

/** `id integer not null primary key` for each of `model.columns`. */
export function columnConstraints(columns: unknown): string[] {
  if (!(columns instanceof Dict)) return []
  return [...columns.values()].flatMap((column) => {
    if (!(column instanceof Dict)) return []
    const name = text(column, 'name')
    const rendered = listOf(column.get('constraints') ?? []).flatMap((each) =>
      each instanceof Dict ? [ofColumn(each)] : [],
    )
    const isQuoted = column.get('quote') === true
    return [
      [isQuoted ? `"${name}"` : name, text(column, 'data_type'), ...rendered.filter((one) => one !== '')].join(' '),
    ]
  })
}

/** `primary key (a, b)` for each constraint of the model. */
export function modelConstraints(constraints: unknown): string[] {
  return listOf(constraints ?? []).flatMap((constraint) => {
    if (!(constraint instanceof Dict)) return []
    const [name, expression] = [text(constraint, 'name'), text(constraint, 'expression')]
    const columns = listOf(constraint.get('columns') ?? [])
      .map(str)
      .join(', ')
    const prefix = name === '' ? '' : `constraint ${name} `
    switch (text(constraint, 'type')) {
      case 'check':
        return expression === '' ? [] : [`${prefix}check (${expression})`]
      case 'unique':
      case 'primary_key':
        return [
          `${prefix}${text(constraint, 'type').replace('_', ' ')}${expression === '' ? '' : ` ${expression}`} (${columns})`,
        ]
      case 'foreign_key':
        return [`${prefix}foreign key (${columns}) ${foreignKey(constraint) || `references ${expression}`}`]
      default:
        return expression === '' ? [] : [`${prefix}${expression}`]
    }
  })
}
