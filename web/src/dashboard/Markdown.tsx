// The little Markdown of text panels: headings, paragraphs, lists, emphasis, code, links. It makes elements, never
// HTML text, so whatever a file says cannot run.

import type { ReactNode } from 'react'

export function Markdown({ text }: { text: string }) {
  return <div className="markdown">{blocks(text)}</div>
}

function blocks(text: string): ReactNode[] {
  const made: ReactNode[] = []
  for (const [index, block] of text
    .replaceAll('\r\n', '\n')
    .split(/\n{2,}/)
    .entries()) {
    const lines = block.split('\n').filter((line) => line.trim() !== '')
    if (lines.length === 0) continue
    const heading = /^(#{1,4})\s+(.*)$/.exec(lines[0]!)
    if (heading) {
      const Tag = heading[1]!.length <= 2 ? 'h2' : 'h3'
      made.push(<Tag key={index}>{inline(heading[2]!)}</Tag>)
      if (lines.length > 1)
        made.push(...blocks(lines.slice(1).join('\n')).map((one, at) => <div key={`${index}.${at}`}>{one}</div>))
    } else if (lines.every((line) => /^\s*[-*]\s+/.test(line)))
      made.push(
        <ul key={index}>
          {lines.map((line, at) => (
            <li key={at}>{inline(line.replace(/^\s*[-*]\s+/, ''))}</li>
          ))}
        </ul>,
      )
    else if (lines.every((line) => /^\s*\d+[.)]\s+/.test(line)))
      made.push(
        <ol key={index}>
          {lines.map((line, at) => (
            <li key={at}>{inline(line.replace(/^\s*\d+[.)]\s+/, ''))}</li>
          ))}
        </ol>,
      )
    else made.push(<p key={index}>{inline(lines.join(' '))}</p>)
  }
  return made
}

const marks = /(`[^`]+`)|(\*\*[^*]+\*\*)|(\*[^*]+\*|_[^_]+_)|(\[[^\]]+\]\([^)\s]+\))/g
function inline(text: string): ReactNode[] {
  const made: ReactNode[] = []
  let at = 0
  for (const match of text.matchAll(marks)) {
    made.push(text.slice(at, match.index))
    const [whole, code, strong, emphasis, link] = match
    if (code) made.push(<code key={match.index}>{code.slice(1, -1)}</code>)
    else if (strong) made.push(<strong key={match.index}>{inline(strong.slice(2, -2))}</strong>)
    else if (emphasis) made.push(<em key={match.index}>{inline(emphasis.slice(1, -1))}</em>)
    else if (link) {
      const [, name, to] = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(link)!
      // Only addresses that show something: no javascript:, no data:.
      made.push(
        /^(https?:|mailto:|\/(?!\/)|#)/.test(to!) ? (
          <a key={match.index} href={to} rel="noreferrer">
            {name}
          </a>
        ) : (
          name
        ),
      )
    }
    at = match.index + whole.length
  }
  return [...made, text.slice(at)]
}
