// CodeMirror as a React component. It lives in a shadow root: there it puts its styles into adopted style sheets
// instead of a <style> element, which the content security policy would refuse.

import { useEffect, useImperativeHandle, useRef, type Ref } from 'react'
import { Compartment, EditorState, Prec } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import type { Catalog, Failure } from '../../../src/contract/index.ts'
import { setup } from './editor-setup.ts'
import { failures, markFailure } from './failed.ts'
import { language } from './language.ts'
import { statementAt, wordAt, type Statement } from './statements.ts'

export type EditorHandle = {
  /** The selection when there is one, otherwise the statement under the cursor. */
  toRun(): Statement | null
  text(): string
  replace(text: string): void
  insert(text: string): void
  showFailure(statement: Statement, failure: Failure): void
  clearFailure(): void
  focus(): void
}
type Props = {
  ref: Ref<EditorHandle>
  initial: string
  catalog: Catalog | undefined
  onRun: () => void
  onChange: (text: string) => void
}

export function Editor({ ref, initial, catalog, onRun, onChange }: Props) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(null)
  const names = useRef(new Compartment())
  const handlers = useRef({ onRun, onChange })
  handlers.current = { onRun, onChange }

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' })
    const run = () => {
      handlers.current.onRun()
      return true
    }
    const made = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: initial,
        extensions: [
          Prec.highest(
            keymap.of([
              { key: 'Mod-Enter', run },
              { key: 'Shift-Mod-Enter', run },
            ]),
          ),
          setup,
          failures,
          names.current.of(language(undefined)),
          placeholder('select …'),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) handlers.current.onChange(update.state.doc.toString())
          }),
        ],
      }),
    })
    made.dom.style.height = '100%'
    view.current = made
    made.focus()
    return () => made.destroy()
    // The text belongs to the editor from here on.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [])

  useEffect(() => view.current?.dispatch({ effects: names.current.reconfigure(language(catalog)) }), [catalog])

  useImperativeHandle(ref, () => ({
    toRun() {
      const { state } = view.current!
      const { from, to, empty, head } = state.selection.main
      if (empty) return statementAt(state.doc.toString(), head)
      const text = state.sliceDoc(from, to).replace(/;\s*$/, '')
      return text.trim() === '' ? null : { from, to: from + text.length, text }
    },
    text: () => view.current!.state.doc.toString(),
    replace(text) {
      view.current!.dispatch({
        changes: { from: 0, to: view.current!.state.doc.length, insert: text },
        selection: { anchor: text.length },
      })
    },
    insert(text) {
      view.current!.dispatch(view.current!.state.replaceSelection(text))
      view.current!.focus()
    },
    showFailure(statement, failure) {
      const { line, column } = failure.place ?? {}
      const same = view.current!.state.sliceDoc(statement.from, statement.to) === statement.text
      const range = same && line !== undefined ? wordAt(statement, line, column ?? 1) : null
      view.current!.dispatch({ effects: markFailure.of(range ? { ...range, failure } : null) })
    },
    clearFailure: () => view.current?.dispatch({ effects: markFailure.of(null) }),
    focus: () => view.current?.focus(),
  }))
  return <div ref={host} className="sql-editor" />
}
