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
  /** What else there is to know of the differences. */
  note?: string
  /** The target's schema; `main` when none is named. */
  schema?: string
}

const utils: Record<string, Origin> = { dbt_utils: { repository: 'dbt-labs/dbt-utils' } }
const date: Record<string, Origin> = { dbt_date: { repository: 'godatadriven/dbt-date' } }
const fivetranUtils: Record<string, Origin> = {
  fivetran_utils: { repository: 'fivetran/dbt_fivetran_utils', commit: 'releases/v0.4.latest' },
}
const spark: Record<string, Origin> = { spark_utils: { repository: 'dbt-labs/spark-utils', commit: '0.3.3' } }

/**
 * The integration tests of one of Fivetran's packages. Its sources are seeds in a schema that the project names. The
 * commit is the last one that runs with the published release of fivetran_utils.
 */
const fivetran = (name: string, schema: string, commit?: string, note?: string): PublicProject => {
  const origin = { repository: `fivetran/dbt_${name}`, ...(commit !== undefined && { commit }) }
  return {
    ...origin,
    ...(note !== undefined && { note }),
    name: `fivetran_${name}`,
    folder: 'integration_tests',
    packages: { [name]: origin, ...fivetranUtils, ...utils, ...spark },
    schema,
  }
}

const utilsAt = (commit: string): Record<string, Origin> => ({
  dbt_utils: { repository: 'dbt-labs/dbt-utils', commit },
})

const auditHelper: Record<string, Origin> = { audit_helper: { repository: 'dbt-labs/dbt-audit-helper' } }

export const publicProjects: readonly PublicProject[] = [
  { name: 'jaffle_shop_duckdb', repository: 'dbt-labs/jaffle_shop_duckdb' },
  {
    name: 'jaffle-shop',
    note: 'its seeds are random: compared on those made for it',
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
    note: 'one query has the time of the run in its text, two tables are of that time',
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
  fivetran('quickbooks', 'quickbooks_integration_tests', 'de857a52ca577fa4f283bd1ae4d184ad09eb20c5'),
  fivetran('stripe', 'stripe_integrations_tests', '922ae62eee8b9633110d34e7ebbdde28f4f9e39e'),
  fivetran('shopify', 'shopify_integration_tests'),
  fivetran('jira', 'jira_integrations_tests_42', 'b998e651b3a224235132832e6ddc2203c57edb4d'),
  fivetran('github', 'github_integration_tests_1'),
  fivetran('hubspot', 'hubspot_integration_tests_66', 'ce0ab866926f7922e9fe9a823785d1e1046c54a1'),
  fivetran(
    'zendesk',
    'zendesk_integration_tests',
    '0baeb69a6aa5badcd3c8b0281b8f17416d1cbc13',
    'one table has durations until now; columns made of values with equal counts come in another order',
  ),
  fivetran(
    'xero',
    'xero_integration_tests',
    '34130dc795cf4e5bcf583a73d43ea3e4927d5b95',
    'values with equal counts come in another order, and columns are made of them',
  ),
  fivetran('salesforce', 'salesforce_integrations_tests_4'),
  fivetran('google_ads', 'google_ads_integration_tests'),
  fivetran('amplitude', 'amplitude_integration_tests'),
  fivetran('klaviyo', 'klaviyo_integration_tests'),
  fivetran('sage_intacct', 'sage_intacct_integration_tests'),
  fivetran('pendo', 'pendo_integration_tests'),
  fivetran('iterable', 'iterable_integration_tests'),
  fivetran('mailchimp', 'mailchimp_integration_tests_2', '4d814357257cefd7436e74231d6c6da745f88819'),
  {
    name: 'mrr_playbook',
    note: 'spelled as in dbt 0.x; one model is red in dbt',
    repository: 'dbt-labs/mrr-playbook',
    packages: utilsAt('0.8.0'),
  },
  { name: 'attribution_playbook', note: 'one seed is red in dbt', repository: 'dbt-labs/attribution-playbook' },
  {
    name: 'unit_testing_jaffle_shop',
    note: 'a package of unit tests in Jinja, which puts its own `ref` in place of dbt’s',
    repository: 'EqualExperts/dbt-unit-testing',
    folder: 'jaffle-shop',
    packages: { dbt_unit_testing: { repository: 'EqualExperts/dbt-unit-testing' }, ...utilsAt('1.4.1') },
  },
  { name: 'osmosis_demo', repository: 'z3z1ma/dbt-osmosis', folder: 'demo_duckdb' },
  {
    name: 'cosmos_model_version',
    note: 'versions of models',
    repository: 'astronomer/astronomer-cosmos',
    folder: 'dev/dags/dbt/model_version',
    packages: utilsAt('1.1.1'),
  },
  {
    name: 'cosmos_altered_jaffle_shop',
    repository: 'astronomer/astronomer-cosmos',
    folder: 'dev/dags/dbt/altered_jaffle_shop',
    packages: utilsAt('1.1.1'),
    env: { POSTGRES_DB: 'main', POSTGRES_SCHEMA: 'main' },
  },
  {
    name: 'segment_it',
    repository: 'dbt-labs/segment',
    folder: 'integration_tests',
    packages: { segment: { repository: 'dbt-labs/segment' }, ...utilsAt('1.4.1') },
  },
  {
    name: 'dbt_profiler_it',
    note: 'red in dbt: it asks for an information_schema that DuckDB has not',
    repository: 'data-mie/dbt-profiler',
    folder: 'integration_tests',
    packages: {
      dbt_profiler: { repository: 'data-mie/dbt-profiler' },
      dbt_expectations: { repository: 'metaplane/dbt-expectations' },
      ...utils,
      ...date,
    },
  },
  {
    name: 'elementary_it',
    note: 'its hooks upload the manifest; tables tell of times, threads and hashes of files. A Python model is refused here and fails there',
    repository: 'elementary-data/dbt-data-reliability',
    folder: 'integration_tests/dbt_project',
    packages: { elementary: { repository: 'elementary-data/dbt-data-reliability' }, ...utils },
  },
  {
    name: 'dbt_artifacts_it',
    note: 'a hook uploads the results. a snapshot and two microbatch tables are of the time of the run',
    repository: 'brooklyn-data/dbt_artifacts',
    folder: 'integration_test_project',
    packages: { dbt_artifacts: { repository: 'brooklyn-data/dbt_artifacts' } },
    env: { TEST_ENV_VAR_NUMBER: '3', TEST_ENV_VAR_EMPTY: '', TEST_ENV_VAR_WITH_QUOTE: "Triple Quotes: '''" },
  },
  { name: 'jaffle_shop_classic', repository: 'dbt-labs/jaffle-shop-classic' },
  {
    name: 'classicmodels',
    note: 'eight models are red in dbt: their tables come from elsewhere',
    repository: 'yurizza/classicmodels-dbt-duckdb',
  },
  {
    name: 'olist',
    note: 'all that reads is red in dbt: its tables come from elsewhere',
    repository: 'SimonNC/olist-dbt-duckdb',
  },
  { name: 'incremental_starter', repository: 'Goku007007/dbt-duckdb-incremental-starter' },
  {
    name: 'tuva_it',
    repository: 'tuva-health/tuva',
    folder: 'integration_tests',
    packages: {
      the_tuva_project: { repository: 'tuva-health/tuva' },
      dbt_expectations: { repository: 'metaplane/dbt-expectations' },
      elementary: { repository: 'elementary-data/dbt-data-reliability' },
      ...utils,
      ...date,
    },
  },
  {
    name: 'jaffle_shop_expand',
    note: 'a thousand models; two of its seeds are random: compared on those made for it',
    repository: 'DataRecce/jaffle-shop-expand',
    packages: { ...utilsAt('1.3.3'), ...date, ...auditHelper },
    vars: 'load_source_data: true',
  },
  {
    name: 'activity_schema_it',
    note: 'SQL that a package writes from a language of its own. Nine tests are red in dbt, for which a macro is no longer equal to itself',
    repository: 'bcodell/dbt-activity-schema',
    folder: 'integration_tests',
    packages: { dbt_activity_schema: { repository: 'bcodell/dbt-activity-schema' }, ...utilsAt('1.0.0') },
  },
  {
    name: 'datavault_medallion',
    note: 'one seed was not at hand, so what reads it is red in both; two tables and a snapshot are of the time of the run',
    repository: 'Saurabh-DS/datavault-dbt-duckdb-medallion',
    packages: {
      dbt_expectations: { repository: 'metaplane/dbt-expectations' },
      ...utilsAt('1.2.0'),
      ...date,
    },
  },
  { name: 'saas_finance', repository: 'Abs-23/saas-finance-dbt-duckdb' },
  {
    name: 'analytics_kit',
    note: 'two snapshots are of the time of the run',
    repository: 'rafarngt/dbt-duckdb-analytics-kit',
  },
  {
    name: 'graph_theory_it',
    repository: 'jpmmcneill/dbt-graph-theory',
    folder: 'integration_tests',
    packages: {
      dbt_graph_theory: { repository: 'jpmmcneill/dbt-graph-theory' },
      dbt_expectations: { repository: 'metaplane/dbt-expectations' },
      ...utils,
      ...date,
    },
  },
  fivetran('greenhouse', 'greenhouse_integration_tests', undefined, 'two nodes are red in dbt'),
  {
    name: 'meta_testing_it',
    note: 'macros that judge the project itself',
    repository: 'tnightengale/dbt-meta-testing',
    folder: 'integration_tests',
    packages: { dbt_meta_testing: { repository: 'tnightengale/dbt-meta-testing' } },
  },
  {
    name: 'product_analytics_it',
    repository: 'mjirv/dbt_product_analytics',
    folder: 'integration_tests',
    packages: { dbt_product_analytics: { repository: 'mjirv/dbt_product_analytics' }, ...utils },
  },
  { name: 'octo_jaffle_shop', repository: 'octoenergy/octo_jaffle_shop', packages: { ...utils, ...spark } },
  fivetran('lever', 'lever_integration_tests'),
  fivetran('asana', 'asana_integrations_tests_03', undefined, 'texts that are put together come in another order'),
  fivetran('twilio', 'twilio_integration_tests'),
  fivetran('recharge', 'recharge_integration_tests'),
  {
    name: 'finance_warehouse',
    note: 'its tables are loaded by a script, so most of it is red in both',
    repository: 'Ruta8/DuckDB-dbt-finance-warehouse',
    packages: utils,
  },
  { name: 'jaffle_sandbox', repository: 'dbt-labs/jaffle-sandbox' },
  { name: 'duckdb_metricflow', repository: 'MarkPhamm/duckdb-dbt-metricflow' },
  {
    name: 'snowplow_old_it',
    note: 'spelled as in dbt 0.x',
    repository: 'dbt-labs/snowplow',
    folder: 'integration_tests',
    packages: { snowplow: { repository: 'dbt-labs/snowplow' }, ...utils },
  },
  {
    name: 'evaluator_it2',
    note: 'two tables are of the time of the run, one lists macros',
    repository: 'dbt-labs/dbt-project-evaluator',
    folder: 'integration_tests_2',
    packages: { dbt_project_evaluator: { repository: 'dbt-labs/dbt-project-evaluator' }, ...utils },
  },
  {
    name: 'analytics_engine',
    note: 'BigQuery’s SQL: most of it is red in both',
    repository: 'moeabbas6/dbt_analytics_engine',
    packages: {
      dbt_meta_testing: { repository: 'tnightengale/dbt-meta-testing', commit: '0.3.6' },
      codegen: { repository: 'dbt-labs/dbt-codegen', commit: '0.12.1' },
      dbt_expectations: { repository: 'calogica/dbt-expectations', commit: '0.10.4' },
      dbt_date: { repository: 'calogica/dbt-date', commit: '0.10.0' },
      dbt_ml: { repository: 'kristeligt-dagblad/dbt_ml', commit: 'v0.6.1' },
      ...utilsAt('1.3.0'),
    },
  },
  {
    name: 're_data_it',
    note: 'one model is red in dbt, whose DuckDB has no initcap; another is of the time of the run',
    repository: 're-data/dbt-re-data',
    folder: 'integration_tests',
    packages: { re_data: { repository: 're-data/dbt-re-data' }, ...utils },
  },
  {
    name: 'stat_test_it',
    repository: 'Matts52/dbt-stat-test',
    folder: 'integration_tests',
    packages: { dbt_stat_test: { repository: 'Matts52/dbt-stat-test' } },
    note: 'one test is red in dbt',
  },
  {
    name: 'ml_inline_it',
    repository: 'Matts52/dbt-ml-inline-preprocessing',
    folder: 'integration_tests',
    packages: { dbt_ml_inline_preprocessing: { repository: 'Matts52/dbt-ml-inline-preprocessing' }, ...utils },
    note: 'two models draw a number by chance',
  },
  {
    name: 'testgen_it',
    repository: 'kgmcquate/dbt-testgen',
    folder: 'integration_tests',
    packages: {
      testgen: { repository: 'kgmcquate/dbt-testgen' },
      dbt_expectations: { repository: 'metaplane/dbt-expectations' },
      ...utils,
      ...date,
    },
    note: 'macros that write YAML from what is in tables',
  },
  {
    name: 'assertions_it',
    repository: 'AxelThevenot/dbt-assertions',
    folder: 'integration_tests',
    packages: { dbt_assertions: { repository: 'AxelThevenot/dbt-assertions' } },
  },
  {
    name: 'ml_preprocessing_it',
    repository: 'omnata-labs/dbt-ml-preprocessing',
    folder: 'integration_tests',
    packages: { dbt_ml_preprocessing: { repository: 'omnata-labs/dbt-ml-preprocessing' }, ...utils },
    note: 'two models are red in dbt',
  },
  {
    name: 'data_diff_it',
    repository: 'infinitelambda/dbt-data-diff',
    folder: 'integration_tests',
    packages: { data_diff: { repository: 'infinitelambda/dbt-data-diff' }, ...utils },
    note: 'for Snowflake: four models are red in both',
  },
  {
    name: 'calogica_expectations_it',
    repository: 'calogica/dbt-expectations',
    folder: 'integration_tests',
    packages: {
      dbt_expectations: { repository: 'calogica/dbt-expectations' },
      dbt_date: { repository: 'calogica/dbt-date' },
    },
    note: 'four tables are made by chance',
  },
  {
    name: 'synthea_omop',
    repository: 'OHDSI/dbt-synthea',
    packages: { dbt_expectations: { repository: 'metaplane/dbt-expectations' }, ...utils, ...date },
    note: 'rows with equal keys are numbered in another order; one model is red in both',
  },
  {
    name: 'simple_dbt_project',
    repository: 'josephmachado/simple_dbt_project',
    packages: { dbt_expectations: { repository: 'metaplane/dbt-expectations' }, ...utils, ...date },
  },
  {
    name: 'cosmos_upstream',
    repository: 'astronomer/astronomer-cosmos',
    folder: 'dev/dags/dbt/cross_project/upstream',
  },
  { name: 'retail_bronze_gold', repository: 'EricLamphere/duckdb_dbt', note: 'a table is of the time of the run' },
  { name: 'dwh_duckdb', repository: 'Anastasiiasyvak/DWH_using_DBT_DuckDB' },
  { name: 'my_duckdb_project', repository: 'xoniks/dbt-duckdb', folder: 'my_duckdb_project' },
  { name: 'customer_alerts', repository: 'simran-basu/dbt-duckdb-demo' },
  { name: 'incremental_starter', repository: 'Goku007007/dbt-duckdb-incremental-starter' },
  fivetran('zuora', 'zuora_integration_tests', undefined, 'one seed is red in dbt'),
  fivetran('facebook_ads', 'facebook_ads_integration_tests', undefined, 'a node is red in dbt'),
  fivetran('intercom', 'intercom_integration_tests', undefined, 'two nodes are red in dbt'),
  fivetran('sap', 'sap_integration_tests', undefined, 'five tables are red when they are read, in both'),
  fivetran('fivetran_log', 'fivetran_platform_integration_tests', undefined, 'two models are red in both'),
  fivetran(
    'netsuite',
    'netsuite_integration_tests_9',
    '4de52d5a453a733094d14f2ae4348f95422b3938',
    'two nodes are red in dbt',
  ),
  fivetran('workday', 'workday_integration_tests', 'd98c6e45ff9dfecc2036e792024f5bb363f6fd0d'),
  fivetran(
    'servicenow',
    'servicenow_integration_tests',
    '6e8432fde554b3c14ade28daf115907a404075f2',
    'a node is red in dbt',
  ),
  fivetran(
    'marketo',
    'marketo_integration_tests',
    '80bcf3b797d362d8d7a56c0537c6876c9c8ae988',
    'three nodes are red in dbt',
  ),
  fivetran('google_play', 'google_play_integration_tests', 'c7eba2acb4823ed66557ad86a0cb670913d5b382'),
  fivetran(
    'apple_store',
    'apple_store_integration_tests',
    '258c32fc3bd494b8a4aa37543fe1ccb47eee7d9a',
    'eight nodes are red in dbt',
  ),
  fivetran(
    'qualtrics',
    'qualtrics_integration_tests',
    '323dfe1f1732989f9c28dc12855d37790be4d3f4',
    'four nodes are red in dbt',
  ),
  {
    name: 'dbt_checks_it',
    repository: 'LlucMH/dbt-checks',
    folder: 'integration_tests',
    packages: { dbt_checks: { repository: 'LlucMH/dbt-checks' } },
    note: '120 tests are to fail, and do',
  },
  {
    name: 'ml_eval_it',
    repository: 'Matts52/dbt-ml-eval',
    folder: 'integration_tests',
    packages: { dbt_ml_eval: { repository: 'Matts52/dbt-ml-eval' }, ...utils },
  },
  {
    name: 'credit_risk_it',
    repository: 'OmerTDK/dbt-credit-risk',
    folder: 'integration_tests',
    note: 'its macros lie outside of the folder, so most of it is red in both',
  },
  {
    name: 'binning_it',
    repository: 'bchaoss/dbt-binning',
    folder: 'integration_tests',
    packages: { dbt_binning: { repository: 'bchaoss/dbt-binning' } },
  },
  {
    name: 'pre_period_it',
    repository: 'bchaoss/dbt-DiD-pre-period-selector',
    folder: 'integration_tests',
    packages: { pre_period_selector: { repository: 'bchaoss/dbt-DiD-pre-period-selector' }, ...utils },
    note: 'a model that most of it waits for is red in dbt',
  },
  {
    name: 'chameleon_pii_it',
    repository: 'BrechtVanBuggenhout/chameleon-pii-dbt',
    folder: 'integration_tests',
    packages: { chameleon_pii: { repository: 'BrechtVanBuggenhout/chameleon-pii-dbt' } },
    note: 'a model is red in both',
  },
  {
    name: 'process_mining_it',
    repository: 'UiPath/ProcessMining-pm-utils',
    folder: 'integration_tests',
    packages: { pm_utils: { repository: 'UiPath/ProcessMining-pm-utils' } },
    note: 'nine models are red in dbt, and most of it waits for them',
  },
  {
    name: 'old_utils_it',
    repository: 'Clearcover/dbt-utils',
    folder: 'integration_tests',
    packages: { cc_dbt_utils: { repository: 'Clearcover/dbt-utils' } },
    note: 'dbt_utils under another name: most of it is red in both',
  },
  {
    name: 'identity_graph_it',
    repository: 'TasmanAnalytics/tasman-identity-graph',
    folder: 'integration_tests',
    packages: { tasman_identity_graph: { repository: 'TasmanAnalytics/tasman-identity-graph' }, ...utils },
    note: 'a test fails in both',
  },
  {
    name: 'recce_it',
    repository: 'DataRecce/recce',
    folder: 'integration_tests/dbt',
    packages: { ...utils, ...auditHelper },
  },
  {
    name: 'gridquery',
    repository: 'AdrianNie123/gridquery',
    folder: 'transform',
    packages: utils,
    note: 'its data are not in the repository, so most of it is red in both',
  },
  {
    name: 'jaffle_shop_expand',
    repository: 'DataRecce/jaffle-shop-expand',
    packages: { ...utils, ...date, ...auditHelper },
    note: 'without its seeds, so what reads them is red in both',
  },
  { name: 'sushi_dbt', repository: 'TobikoData/sqlmesh', folder: 'examples/sushi_dbt' },
  {
    name: 'gabriel_duckdb',
    repository: 'gabriel-garciae/duckdb-dbt-project',
    packages: { ...utils, ...date, dbt_expectations: { repository: 'metaplane/dbt-expectations' } },
    note: 'its data are not in the repository, so most of it is red in both',
  },
  {
    name: 'eu_players',
    repository: 'MahmoudMahdy448/NextGenEUPlayers',
    folder: 'transformation',
    packages: utils,
    note: 'its data are not in the repository, so most of it is red in both',
  },
  {
    name: 'workshop_dw',
    repository: 'Thiago-jss/Workshop-dw',
    folder: 'warehouse',
    note: 'its data are not in the repository, so three models are red in both',
  },
  { name: 'rowlineage_demo', repository: 'rezer-bleede/dbt-rowlineage', folder: 'demo' },
  { name: 'duckdb_dbt_example', repository: 'd-roman-halliday/DuckDB-DBT-Example', folder: 'demo' },
  {
    name: 'dbt_kimball',
    repository: 'MarkPhamm/dbt_kimball',
    folder: 'dbt_duckdb',
    packages: utils,
    note: 'a snapshot reads, as a source, what a model makes later: there it was not there yet',
  },
  {
    name: 'nba_dbt',
    repository: 't3creative/nba-dbt',
    packages: { ...utils, ...date, dbt_expectations: { repository: 'metaplane/dbt-expectations' } },
    note: 'its data are not in the repository, so all of it is red in both',
  },
  {
    name: 'dagster_pipeline',
    repository: 'AlicjaTomaszewska/dagster-dbt-duckdb-pipeline',
    folder: 'transform',
    note: 'its data are not in the repository, so all of it is red in both',
  },
  {
    name: 'id_resolution',
    repository: 'rudderlabs/dbt-id-resolution',
    note: 'its data are not in the repository, so all of it is red in both',
  },
  {
    name: 'fivetran_instagram_business',
    repository: 'fivetran/dbt_instagram_business',
    folder: 'integration_tests',
    packages: {
      instagram_business: { repository: 'fivetran/dbt_instagram_business' },
      fivetran_utils: { repository: 'fivetran/dbt_fivetran_utils' },
      ...utils,
    },
    note: 'with a later fivetran_utils than it is written for: most of it is red in both',
  },
  {
    name: 'fivetran_recurly',
    repository: 'fivetran/dbt_recurly',
    folder: 'integration_tests',
    packages: {
      recurly: { repository: 'fivetran/dbt_recurly' },
      fivetran_utils: { repository: 'fivetran/dbt_fivetran_utils' },
      ...utils,
    },
    note: 'with a later fivetran_utils than it is written for: most of it is red in both',
  },
  {
    name: 'fivetran_salesforce_source',
    repository: 'fivetran/dbt_salesforce_source',
    folder: 'integration_tests',
    packages: {
      salesforce_source: { repository: 'fivetran/dbt_salesforce_source' },
      fivetran_utils: { repository: 'fivetran/dbt_fivetran_utils' },
      ...utils,
    },
    note: 'with a later fivetran_utils than it is written for: much of it is red in both',
  },
]

/** A project that another database is meant for, or whose data are not at hand: its manifest and its SQL are compared, not its tables. */
export type ReadProject = Origin & { nodes: number; compiled: number; note?: string }

export const readProjects: readonly ReadProject[] = [
  { repository: 'cagov/data-infrastructure', folder: 'transform', nodes: 87, compiled: 87, note: 'for Snowflake' },
  {
    repository: 'cagov/caldata-mdsa-caltrans-pems',
    folder: 'transform',
    nodes: 234,
    compiled: 0,
    note: 'for Snowflake',
  },
  { repository: 'paradime-io/paradime-dbt-nba-data-challenge', nodes: 13, compiled: 13 },
  { repository: 'paradime-io/paradime-dbt-movie-challenge', nodes: 5, compiled: 0 },
  {
    repository: 'arnoN7/dbt-incremental-stream',
    folder: 'integration_tests',
    nodes: 50,
    compiled: 48,
    note: 'a list that a package changes after config() got it is not seen to be longer; what a Python model asks of its config is not noted',
  },
  { repository: 'datawaves-xyz/dbt_datawaves', nodes: 18, compiled: 0, note: 'for Spark' },
  { repository: 'datawaves-xyz/dbt_ethereum_source', nodes: 887, compiled: 0, note: 'for Spark' },
  {
    repository: 'b-per/dbt-expectations-tsql',
    folder: 'integration_tests',
    nodes: 72,
    compiled: 0,
    note: 'for SQL Server',
  },
  { repository: 'acecharter/dbt-acecharter', nodes: 459, compiled: 459, note: 'for BigQuery' },
  { repository: 'slide-rule-tech/dbt-nexus', folder: 'integration_tests', nodes: 219, compiled: 0 },
  { repository: 'DalgoT4D/dbt_shofco', nodes: 452, compiled: 452, note: 'with elementary' },
  {
    repository: 'airbytehq/airbyte-dbt-models',
    folder: 'connectors/source_asana/integration_tests',
    nodes: 11,
    compiled: 11,
  },
  {
    repository: 'airbytehq/airbyte-dbt-models',
    folder: 'connectors/source_google_ads/integration_tests',
    nodes: 10,
    compiled: 10,
  },
  { repository: 'edanalytics/dbt_synth_data', nodes: 7, compiled: 0 },
  { repository: 'patkearns10/dbt_workspace', folder: 'dbt_postgres', nodes: 409, compiled: 409 },
  {
    repository: 'patkearns10/dbt_workspace',
    folder: 'dbt_bigquery',
    nodes: 37,
    compiled: 0,
    note: 'three configs of four models stand otherwise in unrendered_config',
  },
  { repository: 'patkearns10/dbt_workspace', folder: 'dbt_semantic_layer', nodes: 5, compiled: 0 },
  {
    repository: 'nordquant/complete-dbt-bootcamp-zero-to-hero',
    folder: 'airbnb',
    nodes: 37,
    compiled: 35,
    note: 'what dbt adds to a Python model is not there',
  },
  { repository: 'niteshsharoff/dbt-napo', nodes: 11, compiled: 11 },
  { repository: 'espressocomputing/dbt-tpch', nodes: 67, compiled: 67 },
  { repository: 'carrollaboratory/omop-dbt-pipeline', folder: 'dbt_project', nodes: 253, compiled: 215 },
  {
    repository: 'preset-io/dbt_github_archive_bigquery',
    folder: 'github_archive',
    nodes: 4,
    compiled: 4,
    note: 'for BigQuery',
  },
  {
    repository: 'stellar/stellar-dbt-public',
    nodes: 1349,
    compiled: 0,
    note: 'for BigQuery, with elementary and dbt_project_evaluator',
  },
  {
    repository: 'janahlin/nerd-facts-dbt',
    folder: 'dbt_project',
    nodes: 295,
    compiled: 259,
    note: 'with dbt_project_evaluator, two of whose models asked what was not there',
  },
  { repository: 'Levers-Labs/SOMA-B2B-SaaS', nodes: 119, compiled: 0 },
  { repository: 'ncl-icb-analytics/dbt-OLIDS', nodes: 247, compiled: 247, note: 'for Snowflake' },
  { repository: 'randypitcherii/dbt_workspace', folder: 'dbt', nodes: 30, compiled: 0, note: 'for Snowflake' },
  {
    repository: 'MaterializeInc/materialize-dbt-utils',
    folder: 'integration_tests/dbt_utils',
    nodes: 4,
    compiled: 0,
    note: 'dbt notes a macro None for two tests',
  },
]
