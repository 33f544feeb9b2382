// PyYAML reads brackets and quoted texts that go on over lines however those are indented:
//
//   - accepted_values: {
//     values: [a]
//   }
//   description: "one
//   two"
//
// YAML wants them deeper than what they stand in, and so does our parser. Such lines are moved to the right for it: the white
// space that a line of theirs begins with means nothing.

/** The text with deeper lines, and by how much each line (from 0) is; undefined when nothing goes on over lines. */
export function deepenFlows(text: string): { text: string; by: readonly number[] } | undefined {
  const lines = text.split('\n')
  const deep = 1 + Math.max(...lines.map((line) => line.length - line.trimStart().length))
  const by = lines.map(() => 0)
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (blockText.test(line)) {
      at = lastOfBlock(lines, at)
      continue
    }
    const opened = opener.exec(line)
    if (!opened) continue
    let open = openAfter(line.slice(opened[0].length - 1), { depth: 0, quote: '' })
    while ((open.depth > 0 || open.quote !== '') && at + 1 < lines.length) {
      by[++at] = deep
      open = openAfter(lines[at]!, open)
    }
  }
  if (by.every((each) => each === 0)) return undefined
  return { text: lines.map((line, at) => `${' '.repeat(by[at]!)}${line}`).join('\n'), by }
}

/** A bracket or a quote that begins a value: after dashes, after a key. */
const opener = /^\s*(?:-\s+)*(?:(?:[^\s#'"{[\]}][^#'"{}[\]]*|'[^']*'|"[^"]*"):\s+)?[{['"]/

/** A text in lines of its own begins behind this. */
const blockText = /(?:^\s*|:\s+|-\s+)[|>][-+\d]*\s*(?:#.*)?$/

/** The last line of the block that begins behind line `at`: blank, or deeper than that line. */
function lastOfBlock(lines: readonly string[], at: number): number {
  const indent = /^\s*/.exec(lines[at]!)![0].length
  let last = at
  while (last + 1 < lines.length && (lines[last + 1]!.trim() === '' || lines[last + 1]!.search(/\S/) > indent)) last++
  return last
}

type Open = { depth: number; quote: '' | "'" | '"' }

/** What is open after a line, in which `open` was before: how many brackets, and which quote. */
function openAfter(line: string, open: Open): Open {
  let { depth, quote } = open
  let before = ''
  for (let at = 0; at < line.length; at++) {
    const sign = line[at]!
    if (quote !== '') {
      const isEscaped = quote === '"' ? sign === '\\' : sign === "'" && line[at + 1] === "'"
      if (isEscaped) at++
      else if (sign === quote) quote = ''
    } else if (sign === '#' && /^\s?$/.test(line[at - 1] ?? '')) return { depth, quote }
    // Within a word it is an apostrophe.
    else if ((sign === '"' || sign === "'") && /^[[{,:]?$/.test(before)) quote = sign
    else if (sign === '{' || sign === '[') depth++
    else if (sign === '}' || sign === ']') depth = Math.max(0, depth - 1)
    if (sign.trim() !== '') before = sign
    // The value has ended; what follows on its line opens nothing.
    if (depth === 0 && quote === '') break
  }
  return { depth, quote }
}
