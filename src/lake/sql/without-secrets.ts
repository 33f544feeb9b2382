// A statement as it may be remembered. `CREATE USER ana PASSWORD '…'`, `CREATE SECRET (KEY_ID '…', SECRET '…')` and their like are
// nothing that can be done here, nor is reading from 'postgres://ana:…@db', but people write them, and the audit is for others to
// read.

import { isSecretName } from '../../config/index.ts'
import { nameOf, isName, tokens, type Token } from './tokens.ts'

/** Rows of a million characters are not cut into tokens for nothing. */
const mayTell = /pass|pwd|secret|token|cookie|authorization|credential|key|identified|:\/\//i
/** In these a text behind the name of a secret is a value of a row, or compared with one. */
const asksForRows =
  /^(?:select|with|from|values|insert|update|delete|merge|table|pivot|unpivot|describe|summarize|explain)$/i
/** What may stand between the name of a secret and its value: `=`, `TO`, `BY`, `AS`. */
const between = new Set(['=', ':', '=>', 'to', 'by', 'as'])
/** MySQL's values stand in the quotes of names, but `RENAME password TO "x"` holds none. */
const renames = new Set(['to', 'as'])

export function withoutSecrets(sql: string): string {
  if (!mayTell.test(sql)) return sql
  let shown = ''
  let from = 0
  let isNamed = false
  let before: Token | undefined
  let keepsValues = false
  const show = ({ start, end }: Token, text: string) => {
    shown += sql.slice(from, start) + text
    from = end
  }
  try {
    for (const token of tokens(sql)) {
      if (before === undefined || before.text === ';') keepsValues = asksForRows.test(token.text)
      const isText = token.kind === 'string'
      const isValue = isText || (token.kind === 'quoted' && !renames.has(before?.text.toLowerCase() ?? ''))
      if (isNamed && isValue && !keepsValues) show(token, "'***'")
      else if (isText) show(token, withoutSecretsInside(token.text))
      if (isText) isNamed = isSecretName(textOf(token))
      else if (!(isNamed && between.has(token.text.toLowerCase()))) isNamed = isName(token) && tells(nameOf(token))
      before = token
    }
  } catch {
    // A text that is never closed: what stands behind a secret's name may be one.
    return withoutSecretsInside(sql).replace(/\b(password|secret|token|identified|credentials?)\b[^]*/i, '$1 ***')
  }
  return (shown + sql.slice(from)).replace(setting, (whole, call: string, name: string) =>
    isSecretName(name) ? `${call}'***'` : whole,
  )
}

const setting = /(\bset_config\s*\(\s*'([^']*)'\s*,\s*)'[^']*'/gi

const tells = (name: string) => isSecretName(name) || name.toLowerCase() === 'identified'
/** `'password': '…'` of a map. */
const textOf = ({ text }: Token) => text.replaceAll("'", '')

/** Addresses, connection strings, and statements that are given as a text. */
const withoutSecretsInside = (text: string): string =>
  text
    .replace(/(:\/\/[^\s:/@'"]*:)[^\s/@'"]+@/g, '$1***@')
    .replace(/(?<![\w.-])([\w.-]{1,100})(\s*=\s*)('+)?[^\s&;,'"]+\3/g, (whole, name: string, sign: string) =>
      isSecretName(name) ? `${name}${sign}***` : whole,
    )
    .replace(/\b(password|secret|identified\s+by)(\s+)('+)[^']+\3/gi, '$1$2***')
