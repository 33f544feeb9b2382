// Versions of packages, and which of those that there are is meant by `[">=1.0.0", "<2.0.0"]`.

import { versionProblem } from '../dbt/require-version.ts'

const pattern = /^v?(\d+)\.(\d+)\.(\d+)(?:-?([0-9A-Za-z.-]+))?(?:\+.*)?$/

type Parts = { numbers: number[]; prerelease: string }

function partsOf(version: string): Parts | undefined {
  const match = pattern.exec(version.trim())
  return match ? { numbers: match.slice(1, 4).map(Number), prerelease: match[4] ?? '' } : undefined
}

export const isPrerelease = (version: string): boolean => (partsOf(version)?.prerelease ?? '') !== ''

/** Below 0 when `a` is older. A release is newer than its pre-releases; what is no version is oldest. */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [partsOf(a), partsOf(b)]
  if (!first || !second) return Number(first !== undefined) - Number(second !== undefined)
  for (const [at, number] of first.numbers.entries()) {
    const difference = number - second.numbers[at]!
    if (difference !== 0) return difference
  }
  if (first.prerelease === second.prerelease) return 0
  if (first.prerelease === '') return 1
  if (second.prerelease === '') return -1
  return first.prerelease.localeCompare(second.prerelease, 'en', { numeric: true })
}

/** The newest of `available` within all of `wanted`; undefined when there is none. */
export function newestWithin(
  available: readonly string[],
  wanted: readonly string[],
  { prereleases }: { prereleases: boolean },
): string | undefined {
  const takesPrereleases = prereleases || wanted.some((bound) => isPrerelease(bound.replace(/^[<>=]+\s*/, '')))
  return available
    .filter((version) => takesPrereleases || !isPrerelease(version))
    .filter((version) => versionProblem(wanted, version) === undefined)
    .toSorted(compareVersions)
    .at(-1)
}
