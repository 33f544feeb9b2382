// The container's health check: asks this container's own server.

const port = process.env.BOATHOUSE_HTTP_PORT ?? '8620'
try {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(4_000) })
  if (!answer.ok) console.error(await answer.text())
  process.exit(answer.ok ? 0 : 1)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
