// The mistake, shown where it is: the word underlined, the sentence below its line, and what may have been meant as
// buttons. It goes away with the next change of the text.

import { StateEffect, StateField, type Extension } from '@codemirror/state'
import { Decoration, EditorView, WidgetType, type DecorationSet } from '@codemirror/view'
import type { Failure } from '../../../src/contract/index.ts'
import { sentence } from '../parts/parts.tsx'

type Mark = { from: number; to: number; failure: Failure }
export const markFailure = StateEffect.define<Mark | null>()

class Says extends WidgetType {
  readonly mark: Mark
  constructor(mark: Mark) {
    super()
    this.mark = mark
  }
  override eq(other: Says): boolean {
    return other.mark === this.mark
  }
  override toDOM(view: EditorView): HTMLElement {
    const { from, to, failure } = this.mark
    const outer = element('div', 'failed', '') // the editor measures this one: margins would put the line numbers off
    const box = element('div', 'failed-says', '')
    outer.append(box)
    box.setAttribute('role', 'alert')
    // What may have been meant follows as buttons: the engine's own list of it would say it twice.
    const says = sentence(failure.message)
    box.append(
      element(
        'span',
        'message',
        failure.suggestions?.length ? says.replace(/\n(Candidate bindings|Did you mean)[^]*$/, '') : says,
      ),
    )
    for (const suggestion of failure.suggestions ?? []) {
      const button = element('button', 'suggestion', suggestion)
      button.setAttribute('type', 'button')
      button.setAttribute('aria-label', `Replace by ${suggestion}`)
      button.addEventListener('click', () => {
        view.dispatch({ changes: { from, to, insert: suggestion }, selection: { anchor: from + suggestion.length } })
        view.focus()
      })
      box.append(button)
    }
    if ((failure.suggestions ?? []).length === 0) box.append(element('span', 'hint', failure.hint))
    return outer
  }
  override ignoreEvent(): boolean {
    return true
  }
}

function element(tag: string, className: string, text: string): HTMLElement {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  return made
}

export const failures: Extension = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, transaction) {
    let next = transaction.docChanged ? Decoration.none : shown
    for (const effect of transaction.effects) {
      if (!effect.is(markFailure)) continue
      const mark = effect.value
      if (!mark) next = Decoration.none
      else {
        const line = transaction.state.doc.lineAt(mark.from)
        next = Decoration.set(
          [
            Decoration.mark({ class: 'failed-word' }).range(
              mark.from,
              Math.max(mark.from + 1, Math.min(mark.to, transaction.state.doc.length)),
            ),
            Decoration.widget({ widget: new Says(mark), block: true, side: 1 }).range(line.to),
          ],
          true,
        )
      }
    }
    return next
  },
  provide: (field) => EditorView.decorations.from(field),
})
