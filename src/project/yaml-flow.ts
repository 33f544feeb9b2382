// PyYAML reads brackets that go on over lines however those are indented:
//
//   - accepted_values: {
//     values: [a]
//   }
//
// YAML wants them deeper than what they stand in, and so does our parser. Such lines are moved to the right for it.

/** The text with deeper lines, and by how much each line (from 0) is; undefined when no bracket goes on over lines. */
export function deepenFlows(text: string): { text: string; by: readonly number[] } | undefined {
  const lines = text.split('\n')
  const deep = 1 + Math.max(...lines.map((line) => line.length - line.trimStart().length))
  const by = lines.map(() => 0)
  for (let at = 0; at < lines.length; at++) {
    const opened = opener.exec(lines[at]!)
    if (!opened) continue
    let depth = depthAfter(lines[at]!.slice(opened[0].length - 1), 0)
    while (depth > 0 && at + 1 < lines.length) {
      by[++at] = deep
      depth = depthAfter(lines[at]!, depth)
    }
  }
  if (by.every((each) => each === 0)) return undefined
  return { text: lines.map((line, at) => `${' '.repeat(by[at]!)}${line}`).join('\n'), by }
}

/** A bracket that begins a value: after dashes, after a key. */
const opener = /^\s*(?:-\s+)*(?:(?:[^\s#'"{[\]}][^#'"{}[\]]*|'[^']*'|"[^"]*"):\s+)?[{[]/

/** How many brackets are open after a line of a flow, in which `depth` were open before. Texts do not go on over lines. */
function depthAfter(line: string, depth: number): number {
  const pieces = line.matchAll(/'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|(?:^|\s)#.*|[{}[\]]/g)
  let open = depth
  for (const [piece] of pieces) {
    if (piece === '{' || piece === '[') open++
    else if (piece === '}' || piece === ']') open = Math.max(0, open - 1)
  }
  return open
}
