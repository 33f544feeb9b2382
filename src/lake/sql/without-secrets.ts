// A statement as it may be remembered. `CREATE USER ana PASSWORD '…'`, `CREATE SECRET (KEY_ID '…', SECRET '…')` and their like are
// nothing that can be done here, but people write them, and the audit is for others to read.

import { isSecretName } from '../../config/index.ts'
import { nameOf, isName, tokens, type Token } from './tokens.ts'

const asksForRows =
  /^\s*(?:select|with|from|values|insert|update|delete|merge|table|pivot|unpivot|describe|summarize|explain)\b/i
/** What may stand between the name of a secret and its value: `=`, `TO`, `BY`, `AS`. */
const between = new Set(['=', ':', '=>', 'to', 'by', 'as'])

export function withoutSecrets(sql: string): string {
  if (asksForRows.test(sql) || !/['$]/.test(sql)) return sql
  let shown = ''
  let from = 0
  let isNamed = false
  try {
    for (const token of tokens(sql)) {
      const isValue = token.kind === 'string'
      if (isValue && isNamed) {
        shown += `${sql.slice(from, token.start)}'***'`
        from = token.end
      }
      if (isValue) isNamed = isSecretName(textOf(token))
      else if (!(isNamed && between.has(token.text.toLowerCase()))) isNamed = isName(token) && tells(nameOf(token))
    }
  } catch {
    // A text that is never closed: what stands behind a secret's name may be one.
    return sql.replace(/\b(password|secret|token|identified|credentials?)\b[^]*/i, '$1 ***')
  }
  return shown + sql.slice(from)
}

const tells = (name: string) => isSecretName(name) || name.toLowerCase() === 'identified'
/** `'password': '…'` of a map. */
const textOf = ({ text }: Token) => text.replaceAll("'", '')
