// How rights read: places, grantees, verdicts, limits.

import { Check, CircleX, EyeOff, VenetianMask, X } from 'lucide-react'
import type { AccessPlace, Grantee, Verdict as VerdictName } from '../../../src/contract/index.ts'
import { formatBytes, formatCount, formatDuration } from '../value/format.ts'

/** `marts.*`; the environment only where one is named. */
export function showPlace({ environment, namespace, table }: AccessPlace): string {
  const tables = namespace === '*' && table === '*' ? '*' : `${namespace}.${table}`
  return environment === '*' ? tables : `${environment}.${tables}`
}

export const Place = ({ on }: { on: AccessPlace }) => {
  const text = showPlace(on)
  return text === '*' ? <span>everything</span> : <code>{text}</code>
}

export const showGrantee = ({ kind, name }: Grantee): string => `${kind}:${name}`

export const Who = ({ who }: { who: Grantee }) => (
  <span className="who">
    <span className="caption">{who.kind}</span> {who.name}
  </span>
)

const tones = {
  allowed: ['Allowed', Check, 'good'],
  refused: ['Refused', X, 'bad'],
  failed: ['Failed', CircleX, 'warn'],
  'as it is': ['as it is', Check, 'good'],
  masked: ['masked', VenetianMask, 'warn'],
  hidden: ['hidden', EyeOff, ''],
} as const

/** A verdict, or how a column is shown: by picture and word. */
export function Verdict({ verdict }: { verdict: VerdictName | 'as it is' | 'masked' | 'hidden' }) {
  const [word, Icon, tone] = tones[verdict]
  return (
    <span className={`status ${tone}`}>
      <span className="status-icon">
        <Icon size={12} strokeWidth={2.5} aria-hidden />
      </span>
      <span>{word}</span>
    </span>
  )
}

export function showLimit(name: string, most: number): string {
  switch (name) {
    case 'query_timeout':
      return `${formatDuration(most)} a statement`
    case 'rows':
      return `${formatCount(most)} rows an answer`
    case 'result_bytes':
      return `${formatBytes(most)} an answer`
    case 'scan_bytes':
      return `${formatBytes(most)} of files a statement`
    case 'memory':
      return `${formatBytes(most)} of memory a statement`
    case 'queries':
      return `${formatCount(most)} statements at the same time`
    default:
      return `${name}: ${formatCount(most)}`
  }
}
