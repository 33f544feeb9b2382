// The small parts that all pages are made of.

import { useEffect, useId, useRef, useState, type ButtonHTMLAttributes, type ReactNode } from 'react'
import {
  AlertTriangle,
  Ban,
  Check,
  CircleDashed,
  CircleX,
  Clock,
  Copy,
  LoaderCircle,
  Lock,
  Minus,
  X,
} from 'lucide-react'
import type { Failure, Place, Problem } from '../../../src/contract/index.ts'
import { asFailure } from '../api/call.ts'
import { formatAge, formatMoment } from '../value/format.ts'
import './parts.css'

type ButtonProps = {
  kind?: 'primary' | 'plain' | 'quiet' | 'danger'
  icon?: ReactNode
  busy?: boolean
  ref?: React.Ref<HTMLButtonElement>
} & ButtonHTMLAttributes<HTMLButtonElement>
export function Button({ kind = 'plain', icon, busy, children, className = '', disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={`button ${kind} ${className}`}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy ? <LoaderCircle size={15} className="spin" aria-hidden /> : icon}
      {children !== undefined && <span>{children}</span>}
    </button>
  )
}

/** A button that is only a picture: its name is for those who cannot see it, and shown on hover. */
export function IconButton({
  label,
  className = '',
  ...rest
}: { label: string; ref?: React.Ref<HTMLButtonElement> } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest} />
}

export const Key = ({ children }: { children: ReactNode }) => <kbd className="key">{children}</kbd>
/** ⌘ where it is on the keyboard, Ctrl elsewhere. */
export const commandKey = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '') ? '⌘' : 'Ctrl '

export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string
  hint?: ReactNode
  error?: string | null
  children: (id: string, describedBy: string) => ReactNode
}) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id, `${id}-hint`)}
      <div id={`${id}-hint`} className={error ? 'field-error' : 'caption'}>
        {error ?? hint}
      </div>
    </div>
  )
}

/** One sentence that says why there is nothing, and one thing that helps. */
export function State({
  title,
  children,
  action,
  icon,
}: {
  title: string
  children?: ReactNode
  action?: ReactNode
  icon?: ReactNode
}) {
  return (
    <div className="state">
      {icon && <div className="state-icon">{icon}</div>}
      <p className="state-title">{title}</p>
      {children && <div className="state-text">{children}</div>}
      {action && <div className="state-action">{action}</div>}
    </div>
  )
}

/** A whole page that cannot be shown: not found, forbidden, or failed. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const failure = asFailure(error)
  if (failure.code === 'FORBIDDEN')
    return (
      <State icon={<Lock size={18} />} title="You may not see this.">
        <p>
          <Words text={failure.message} />
        </p>
        <p className="quiet">
          <Words text={failure.hint} />
        </p>
      </State>
    )
  return (
    <State
      icon={<AlertTriangle size={18} />}
      title={sentence(failure.message)}
      action={retry && <Button onClick={retry}>Try again</Button>}
    >
      <p className="quiet">
        <Words text={failure.hint} />
      </p>
      <FailureFoot failure={failure} />
    </State>
  )
}

const FailureFoot = ({ failure }: { failure: Failure | Problem }) => <p className="caption mono">{footOf(failure)}</p>
const footOf = (failure: Failure | Problem): string =>
  'requestId' in failure && failure.requestId ? `${failure.code} · request ${failure.requestId}` : failure.code

/** Messages are written for logs and by engines: on a page they begin with a capital (names stay as they are) and do not shout. */
export const sentence = (text: string): string => {
  const calm = text.replace(/!(?=\n|$)/g, '.')
  return /^[a-z]+[ ,]/.test(calm) ? calm[0]!.toUpperCase() + calm.slice(1) : calm
}

/** A sentence with `names` in it. */
export const Words = ({ text }: { text: string }) => (
  <>
    {sentence(text)
      .split('`')
      .map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}
  </>
)

/** `models/a.sql:3:7` as editors open it; a place in a statement is `line 3, column 7`. */
export function showPlace(place: Place | undefined): string {
  const { file, line, column } = place ?? {}
  if (file === undefined)
    return [line && `line ${line}`, line && column && `column ${column}`].filter(Boolean).join(', ')
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':')
}

type NoteProps = {
  failure: Failure | Problem
  kind?: 'bad' | 'warn'
  /** Leaves out the code and the number of the request: for small places. */ brief?: boolean
}
/** A failure or a problem where it belongs: calm, with its place and what to do. */
export function FailureNote({ failure, kind = 'bad', brief = false }: NoteProps) {
  const others = 'all' in failure ? (failure.all ?? []) : []
  const many = others.length > 1
  return (
    <div
      className={`note ${kind}`}
      role={kind === 'bad' ? 'alert' : undefined}
      title={brief ? footOf(failure) : undefined}
    >
      <AlertTriangle size={15} aria-hidden className="note-icon" />
      <div className="note-body">
        {many ? (
          <ul className="note-list">
            {others.map((problem, index) => (
              <li key={index}>
                <Words text={problem.message} />{' '}
                {problem.place && <code className="place">{showPlace(problem.place)}</code>}
              </li>
            ))}
          </ul>
        ) : (
          <p className="note-message">
            <Words text={failure.message} />
          </p>
        )}
        {!many && failure.place && <code className="place">{showPlace(failure.place)}</code>}
        <p className="caption">
          <Words text={failure.hint} />
        </p>
        {!brief && <FailureFoot failure={failure} />}
      </div>
    </div>
  )
}

export function Time({ at, age = true }: { at: string; age?: boolean }) {
  const now = useNow()
  return (
    <time dateTime={at} title={formatMoment(at)}>
      {age ? formatAge(at, now) : formatMoment(at)}
    </time>
  )
}

/** The time, again every so often: ages grow while a page is open. */
export function useNow(everyMs = 20_000): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

const statuses = {
  queued: ['Queued', CircleDashed, 'quiet'],
  waiting: ['Waiting', CircleDashed, 'quiet'],
  running: ['Running', LoaderCircle, 'active'],
  succeeded: ['Succeeded', Check, 'good'],
  pass: ['Passed', Check, 'good'],
  failed: ['Failed', X, 'bad'],
  fail: ['Failed', X, 'bad'],
  error: ['Error', CircleX, 'bad'],
  warn: ['Warned', AlertTriangle, 'warn'],
  lost: ['Worker lost', AlertTriangle, 'warn'],
  skipped: ['Skipped', Minus, 'quiet'],
  cancelled: ['Cancelled', Ban, 'quiet'],
  scheduled: ['Scheduled', Clock, 'quiet'],
} as const
export type StatusName = keyof typeof statuses

/** A state, always by picture and word; `bare` hides the word from the eye only. */
export function Status({ status, bare = false }: { status: StatusName; bare?: boolean }) {
  const [word, Icon, tone] = statuses[status]
  return (
    <span className={`status ${tone}`} title={bare ? word : undefined}>
      <span className="status-icon">
        <Icon size={12} strokeWidth={2.5} aria-hidden className={status === 'running' ? 'spin' : undefined} />
      </span>
      <span className={bare ? 'unseen' : undefined}>{word}</span>
    </span>
  )
}

export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1_600)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <Button
      kind="quiet"
      icon={copied ? <Check size={14} /> : <Copy size={14} />}
      onClick={() => void copyText(text).then(() => setCopied(true))}
    >
      {copied ? 'Copied' : label}
    </Button>
  )
}

/** Copies text; where the clipboard is not allowed (a page without TLS) by way of a hidden field. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const field = document.createElement('textarea')
    field.value = text
    field.className = 'unseen'
    ;(document.querySelector('dialog[open]') ?? document.body).append(field)
    field.select()
    document.execCommand('copy')
    field.remove()
  }
}

export function CodeBlock({ code, label, children }: { code: string; label?: ReactNode; children?: ReactNode }) {
  return (
    <div className="code">
      <div className="code-head">
        <span className="caption">{label}</span>
        {children}
        <CopyButton text={code} />
      </div>
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
    </div>
  )
}

type DialogProps = {
  title: string
  onClose: () => void
  children: ReactNode
  wide?: boolean
  full?: boolean
  actions?: ReactNode
}
/** The browser's own modal dialog: focus stays in it, Escape closes it. */
export function Dialog({ title, onClose, children, wide, full, actions }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const element = dialog.current!
    if (!element.open) element.showModal()
    // The browser would choose the button that closes it.
    element.querySelector<HTMLElement>('input:not([type=file]), select, textarea, .dialog-actions button')?.focus()
    return () => element.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      className={`dialog ${wide ? 'wide' : ''} ${full ? 'full' : ''}`}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className="dialog-inside">
        <div className="dialog-head">
          <h2 id={id}>{title}</h2>
          {actions}
          <IconButton label="Close" onClick={onClose}>
            <X size={16} />
          </IconButton>
        </div>
        {children}
      </div>
    </dialog>
  )
}

/** The shape of what is coming; only seen when it takes longer than 300 ms. */
export const Shimmer = ({ className = '' }: { className?: string }) => (
  <div className={`shimmer ${className}`} aria-hidden />
)
export const Lines = ({ count }: { count: number }) => (
  <div className="shimmer-lines" role="status" aria-label="Loading">
    {Array.from({ length: count }, (_, index) => (
      <Shimmer key={index} />
    ))}
  </div>
)

export function download(name: string, text: string, type = 'text/csv;charset=utf-8'): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000)
}
