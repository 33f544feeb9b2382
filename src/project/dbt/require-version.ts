// `require-dbt-version`: whether the dbt that this program is like satisfies what a project asks for.

type Bound = { operator: '=' | '>=' | '<=' | '>' | '<'; parts: number[]; prerelease: string }

const pattern = /^\s*(>=|<=|>|<|=)?\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-?((?:a|b|rc|alpha|beta|dev|post)[\w.]*))?\s*$/

/** What is wrong, or undefined when `version` is within all bounds. `required` is a text or a list, as it is written. */
export function versionProblem(required: unknown, version: string): string | undefined {
  const texts = (Array.isArray(required) ? required : [required]).flatMap((each) => String(each).split(','))
  const bounds = texts.filter((text) => text.trim() !== '').map((text) => ({ text: text.trim(), bound: boundOf(text) }))
  const unread = bounds.find(({ bound }) => !bound)
  if (unread) return `"${unread.text}" is no version: write it as ">=1.6.0"`
  const own = boundOf(version)!
  const failing = bounds.filter(({ bound }) => !satisfies(own, bound!)).map(({ text }) => text)
  return failing.length === 0
    ? undefined
    : `it requires dbt ${failing.join(' and ')}; this program is like dbt ${version}`
}

function boundOf(text: string): Bound | undefined {
  const match = pattern.exec(text)
  if (!match) return undefined
  const [, operator = '=', major, minor = '0', patch = '0', prerelease = ''] = match
  return { operator: operator as Bound['operator'], parts: [major!, minor, patch].map(Number), prerelease }
}

function satisfies(own: Bound, { operator, ...bound }: Bound): boolean {
  const order = compare(own, bound)
  switch (operator) {
    case '=':
      return order === 0
    case '>=':
      return order >= 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '<':
      return order < 0
  }
}

function compare(a: Omit<Bound, 'operator'>, b: Omit<Bound, 'operator'>): number {
  for (const [index, part] of a.parts.entries()) {
    if (part !== b.parts[index]) return part - b.parts[index]!
  }
  if (a.prerelease === b.prerelease) return 0
  // A version comes after its own prereleases.
  if (a.prerelease === '') return 1
  return b.prerelease === '' ? -1 : a.prerelease.localeCompare(b.prerelease)
}
