#!/usr/bin/env node
// What health checks need of curl and wget: gets the last argument, prints the body, fails when that fails.

try {
  const answer = await fetch(process.argv.at(-1), { signal: AbortSignal.timeout(4_000) })
  console.log(await answer.text())
  process.exitCode = answer.ok ? 0 : 22
} catch (error) {
  console.error(error.message)
  process.exitCode = 7
}
