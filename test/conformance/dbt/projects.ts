// Public dbt projects that are built here and by dbt-core, and compared. Nothing of them lies in this repository:
// `lay-out.ts` fetches them.

/** A repository on GitHub, and what of it: a commit (its main branch when none is named) and a folder. */
export type Origin = { repository: string; commit?: string; folder?: string }

export type PublicProject = Origin & {
  name: string
  /** What lies in `dbt_packages`, by the folder's name there. */
  packages?: Record<string, Origin>
  vars?: string
  env?: Record<string, string>
  /** Only a part of the project runs on DuckDB at all: dbt's own selection, for both sides. */
  select?: string
}

const utils: Record<string, Origin> = { dbt_utils: { repository: 'dbt-labs/dbt-utils' } }
const date: Record<string, Origin> = { dbt_date: { repository: 'godatadriven/dbt-date' } }
const auditHelper: Record<string, Origin> = { audit_helper: { repository: 'dbt-labs/dbt-audit-helper' } }

export const publicProjects: readonly PublicProject[] = [
  { name: 'jaffle_shop_duckdb', repository: 'dbt-labs/jaffle_shop_duckdb' },
  {
    name: 'jaffle-shop',
    repository: 'dbt-labs/jaffle-shop',
    packages: { ...utils, ...date, ...auditHelper },
    vars: 'load_source_data: true',
  },
  { name: 'dbt_utils_it', repository: 'dbt-labs/dbt-utils', folder: 'integration_tests', packages: utils },
  {
    name: 'dbt_expectations_it',
    repository: 'metaplane/dbt-expectations',
    folder: 'integration_tests',
    packages: { dbt_expectations: { repository: 'metaplane/dbt-expectations' }, ...date },
  },
  { name: 'dbt_date_it', repository: 'godatadriven/dbt-date', folder: 'integration_tests', packages: date },
  {
    name: 'audit_helper_it',
    repository: 'dbt-labs/dbt-audit-helper',
    folder: 'integration_tests',
    packages: { ...auditHelper, ...utils },
  },
  {
    name: 'codegen_it',
    repository: 'dbt-labs/dbt-codegen',
    folder: 'integration_tests',
    packages: { codegen: { repository: 'dbt-labs/dbt-codegen' }, ...utils },
  },
  {
    name: 'project_evaluator_it',
    repository: 'dbt-labs/dbt-project-evaluator',
    folder: 'integration_tests',
    packages: {
      dbt_project_evaluator: { repository: 'dbt-labs/dbt-project-evaluator' },
      ...utils,
      exclude_package: {
        repository: 'dbt-labs/dbt-project-evaluator',
        folder: 'integration_tests/exclude_package',
      },
    },
  },
  {
    name: 'mf_tutorial',
    repository: 'dbt-labs/metricflow',
    folder: 'dbt-metricflow/dbt_metricflow/cli/mf_tutorial_project',
  },
]
