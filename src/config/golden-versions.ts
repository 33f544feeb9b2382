// Which versions ship together, read from the lock file.

type Lock = {
  packages: Record<
    string,
    { version?: string; dependencies?: Record<string, string>; devDependencies?: Record<string, string> }
  >
}

/** golden_versions.md from the text of package-lock.json: the pinned Node and every direct dependency. */
export function printGoldenVersions(lockText: string): string {
  const { packages } = JSON.parse(lockText) as Lock
  const rootNames = Object.keys(packages).filter((path) => !path.includes('node_modules/'))
  const direct = (kind: 'dependencies' | 'devDependencies') =>
    [...new Set(rootNames.flatMap((path) => Object.keys(packages[path]?.[kind] ?? {})))]
      .flatMap((name): [string, string][] => {
        const version =
          packages[`node_modules/${name}`]?.version ??
          rootNames.map((path) => packages[`${path}/node_modules/${name}`]?.version).find(Boolean)
        return version ? [[name, version]] : []
      })
      .sort(([a], [b]) => (a < b ? -1 : 1))
  const isNode = ([name]: [string, string]) => /^node-(bin-)?(linux|darwin|win)/.test(name)
  const run = direct('dependencies')
  const nodes = Object.entries(packages)
    .flatMap(([path, { version }]): [string, string][] =>
      version ? [[path.replace('node_modules/', ''), version]] : [],
    )
    .filter(isNode)
  const table = (rows: [string, string][]) =>
    ['| package | version |', '| --- | --- |', ...rows.map(([name, version]) => `| ${name} | ${version} |`)].join('\n')
  return `# Golden versions

What is tested and shipped together. Printed by \`tools/golden-versions.ts\` from \`package-lock.json\`; do not edit.

## Node.js, per platform

${table(nodes)}

## Needed to run

${table(run.filter((one) => !isNode(one)))}

## Needed to develop

${table(direct('devDependencies'))}
`
}
