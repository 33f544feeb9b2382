// How the editor looks and what its keys do.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab, toggleComment } from '@codemirror/commands'
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { EditorState, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, highlightSpecialChars, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const look = EditorView.theme({
  '&': { height: '100%', fontSize: 'var(--text)', color: 'var(--ink)', backgroundColor: 'var(--panel)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px', fontVariantLigatures: 'none' },
  '.cm-content': { padding: '12px 0', caretColor: 'var(--accent)' },
  '.cm-line': { padding: '0 16px 0 6px' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--ink-3)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 8px 0 16px', minWidth: '20px', fontSize: 'var(--text-caption)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    background: 'var(--selection)',
  },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
    background: 'var(--accent-soft)',
    outline: '1px solid var(--hairline-strong)',
  },
  '.cm-nonmatchingBracket': { color: 'var(--bad)' },
  '.cm-placeholder': { color: 'var(--ink-3)' },
  '.cm-tooltip': {
    border: '1px solid var(--hairline)',
    borderRadius: 'var(--radius-small)',
    background: 'var(--panel)',
    boxShadow: 'var(--shadow)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': {
    fontFamily: 'var(--mono)',
    fontSize: 'var(--text-small)',
    maxHeight: '252px',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': {
    display: 'flex',
    alignItems: 'center',
    padding: '0 10px',
    lineHeight: '26px',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent-soft)', color: 'var(--ink)' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700', color: 'var(--accent)' },
  '.cm-completionDetail': {
    marginLeft: 'auto',
    paddingLeft: '16px',
    fontStyle: 'normal',
    color: 'var(--ink-3)',
    fontSize: 'var(--text-caption)',
  },
  '.failed-word': {
    textDecoration: 'underline wavy var(--bad) 1px',
    textUnderlineOffset: '4px',
    textDecorationSkipInk: 'none',
    background: 'var(--bad-soft)',
  },
  '.failed': { padding: '2px 16px 4px 6px' },
  '.failed-says': {
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: '2px 8px',
    padding: '5px 10px',
    font: '13px/18px var(--sans)',
    color: 'var(--ink)',
    background: 'var(--bad-soft)',
    borderRadius: 'var(--radius-small)',
    maxWidth: '90ch',
    whiteSpace: 'pre-line',
  },
  '.failed-says .hint': { color: 'var(--ink-2)', fontSize: 'var(--text-small)' },
  '.failed-says button': {
    font: '500 12px/18px var(--mono)',
    color: 'var(--accent)',
    background: 'var(--panel)',
    border: '1px solid var(--hairline-strong)',
    borderRadius: 'var(--radius-tiny)',
    padding: '0 6px',
    cursor: 'pointer',
  },
  '.ran': { background: 'var(--sunken)' },
})

const colors = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent)', fontWeight: '500' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--series-2)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--series-3)' },
  { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--series-4)' },
  { tag: [tags.lineComment, tags.blockComment], color: 'var(--ink-3)', fontStyle: 'italic' },
  { tag: [tags.operator, tags.punctuation], color: 'var(--ink-2)' },
])

export const setup: Extension = [
  look,
  syntaxHighlighting(colors),
  lineNumbers(),
  highlightSpecialChars(),
  history(),
  drawSelection(),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  autocompletion({ icons: false }),
  EditorState.tabSize.of(2),
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({
    'aria-label': 'SQL. Escape, then Tab, leaves the editor.',
    spellcheck: 'false',
    autocorrect: 'off',
    autocapitalize: 'off',
  }),
  keymap.of([
    { key: 'Mod-/', run: toggleComment },
    ...closeBracketsKeymap,
    ...completionKeymap,
    ...historyKeymap,
    ...defaultKeymap,
    indentWithTab,
  ]),
]
