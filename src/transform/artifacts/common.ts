// What the artifacts share: who wrote them, when, for which invocation.

/** Times in milliseconds since 1970. */
export type Invocation = {
  id: string
  startedAt: number
  dbtVersion: string
  env: Readonly<Record<string, string | undefined>>
}

export function metadata(
  kind: string,
  version: number,
  { id, startedAt, dbtVersion, env }: Invocation,
): Record<string, unknown> {
  return {
    dbt_schema_version: `https://schemas.getdbt.com/dbt/${kind}/v${version}.json`,
    dbt_version: dbtVersion,
    generated_at: new Date().toISOString(),
    invocation_id: id,
    invocation_started_at: new Date(startedAt).toISOString(),
    env: customEnv(env),
  }
}

/** Variables that dbt copies into artifacts. */
const prefix = /^DBT_(?:ENGINE_)?ENV_CUSTOM_ENV_/
export const customEnv = (env: Invocation['env']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      prefix.test(name) && value !== undefined ? [[name.replace(prefix, ''), value]] : [],
    ),
  )
