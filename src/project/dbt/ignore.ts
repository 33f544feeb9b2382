// `.dbtignore`: which files of a project are not looked at, in git's notation.

/** Whether a file, relative to the folder that holds the `.dbtignore`, is ignored. The last line that fits decides. */
export function ignoring(text: string): (file: string) => boolean {
  const rules = text.split(/\r?\n/).flatMap((line) => {
    const trimmed = line.replace(/(?<!\\)\s+$/, '')
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const isNegated = trimmed.startsWith('!')
    return [{ isNegated, pattern: patternOf(isNegated ? trimmed.slice(1) : trimmed) }]
  })
  return (file) => rules.findLast(({ pattern }) => pattern.test(file))?.isNegated === false
}

function patternOf(line: string): RegExp {
  const isFolder = line.endsWith('/')
  const body = line.replace(/\/$/, '').replace(/^\\(?=[#!])/, '')
  // A slash inside ties the pattern to the folder of the file; without one it fits at any depth.
  const isAnchored = body.includes('/')
  const glob = globSource(body.replace(/^\//, ''))
  return new RegExp(`^${isAnchored ? '' : '(?:.*/)?'}${glob}${isFolder ? '/.*' : '(?:/.*)?'}$`)
}

function globSource(glob: string): string {
  return glob.replace(/\*\*\/|\/\*\*$|\*\*|\*|\?|\[!?[^\]]*\]|\\?[^]/g, (part) => {
    switch (part) {
      case '**/':
        return '(?:.*/)?'
      case '/**':
        return '/.*'
      case '**':
        return '.*'
      case '*':
        return '[^/]*'
      case '?':
        return '[^/]'
      default:
        if (part.length > 2 && part.startsWith('[')) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\')
        return part.replace(/^\\(?=.)/, '').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    }
  })
}
