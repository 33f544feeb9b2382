// Old spellings that dbt takes and warns of, under its names and in its words.

import type { Warning } from './types.ts'

export type Deprecation = { message: string; event: NonNullable<Warning['event']> }

const of = (name: string, code: string, message: string, data?: Record<string, unknown>): Deprecation => ({
  message,
  event: { name: `${name}Deprecation`, code, ...(data && { data }) },
})

export const deprecations = {
  argumentsBesideName: (test: string, resource: string, from: string, file: string) =>
    of(
      'MissingArgumentsPropertyInGenericTest',
      'D039',
      `Found top-level arguments to test \`${test}\` defined on '${resource}' in package '${from}' (${file}). Arguments to generic tests should be nested under the \`arguments\` property.`,
    ),
  besideConfig: (key: string, path: string, file: string) =>
    of(
      'PropertyMovedToConfig',
      'D030',
      `Found \`${key}\` as a top-level property of \`${path}\` in file \`${file}\`. The \`${key}\` top-level property should be moved into the \`config\` of \`${path}\`.`,
    ),
  renamedPath: (old: 'source-paths' | 'data-paths', key: string) =>
    of(
      old === 'source-paths' ? 'ConfigSourcePath' : 'ConfigDataPath',
      old === 'source-paths' ? 'D003' : 'D004',
      `The \`${old}\` config has been renamed to \`${key}\`. Please update your \`dbt_project.yml\` configuration to reflect this change.`,
    ),
  outputPath: (key: 'log-path' | 'target-path') => {
    const [name, code, what] =
      key === 'log-path' ? ['ConfigLogPath', 'D010', 'logs'] : ['ConfigTargetPath', 'D011', 'artifacts']
    return of(
      name!,
      code!,
      `The \`${key}\` config in \`dbt_project.yml\` has been deprecated, and will no longer be supported in a future version of dbt-core. If you wish to write dbt ${what} to a custom directory, please use the --${key} CLI flag or DBT_${key.toUpperCase().replace('-', '_')} env var instead.`,
    )
  },
  keyTwice: (file: string, line: number | undefined) =>
    of('DuplicateYAMLKeys', 'D024', `A key stands twice, the last one counts: line ${line ?? 1} in file \`${file}\``),
  exposureName: (name: string) =>
    of(
      'ExposureName',
      'D007',
      `Starting in v1.3, the 'name' of an exposure should contain only letters, numbers, and underscores. Exposures support a new property, 'label', which may contain spaces, capital letters, and special characters. ${name} does not follow this pattern. Please update the 'name', and use the 'label' property for a human-friendly title. This will raise an error in a future version of dbt-core.`,
    ),
  cumulativeParams: (name: string) =>
    of(
      'MFCumulativeTypeParams',
      'D019',
      `Cumulative fields \`type_params.window\` and \`type_params.grain_to_date\` have been moved and will soon be deprecated. Please nest those values under \`type_params.cumulative_type_params\`: the metric \`${name}\``,
    ),
  schemaOfNothing: (id: string) =>
    of(
      'GenerateSchemaNameNullValue',
      'D044',
      `Node '${id}' has a schema set to None as a result of a generate_schema_name call. Please set a valid schema name.`,
    ),
  freshnessOutput: (path: string) =>
    of(
      'CustomOutputPathInSourceFreshness',
      'D029',
      `Custom output path usage \`--output ${path}\` usage detected in \`dbt source freshness\` command.`,
    ),
  argumentsNested: (test: string, given: string) =>
    of(
      'ArgumentsPropertyInGenericTest',
      'D038',
      `Found \`arguments\` property in test definition of \`${test}\` (${given}) without usage of \`require_generic_test_arguments_property\` behavior change flag. The \`arguments\` property is deprecated for custom usage and will be used to nest keyword arguments in future versions of dbt.`,
    ),
  hooksOfFreshness: (): Deprecation => ({
    message:
      'In a future version of dbt, the `source freshness` command will start running `on-run-start` and `on-run-end` hooks by default. For more information: https://docs.getdbt.com/reference/global-configs/legacy-behaviors',
    event: { name: 'SourceFreshnessProjectHooksNotRun', code: 'D017' },
  }),
  oldPackagesPath: () =>
    of(
      'PackageInstallPath',
      'D002',
      "The default package install path has changed from `dbt_modules` to `dbt_packages`. Please update `clean-targets` in `dbt_project.yml` and check `.gitignore` as well. Or, set `packages-install-path: dbt_modules` if you'd like to keep the current value.",
    ),
  renamedVariable: (old: string, name: string): Deprecation => ({
    message: `The environment variable \`${old}\` has been renamed as \`${name}\`.\nIf \`${old}\` is currently set, its value will be used instead of \`${name}\`.`,
    event: { name: 'EnvironmentVariableRenamed', code: 'D009' },
  }),
  reservedVariable: (name: string) =>
    of(
      'EnvironmentVariableNamespace',
      'D036',
      `Found custom environment variable \`${name}\` in the environment. The prefix \`DBT_ENGINE\` is reserved for dbt engine environment variables. Custom environment variables with the prefix \`DBT_ENGINE\` may cause collisions and runtime errors.`,
      { env_var: name, reserved_prefix: 'DBT_ENGINE' },
    ),
  flagsOfProfile: () =>
    of(
      'ProjectFlagsMoved',
      'D013',
      "User config should be moved from the 'config' key in profiles.yml to the 'flags' key in dbt_project.yml.",
    ),
  models: () =>
    of(
      'ModelParamUsage',
      'D032',
      'Usage of `--models`, `--model`, and `-m` is deprecated in favor of `--select` or `-s`.',
    ),
  oldHandling: (keys: readonly ('include' | 'exclude')[]) =>
    of(
      'WEOIncludeExclude',
      'D031',
      [
        `Found ${keys.map((key) => `\`${key}\``).join(' and ')} in \`warn_error_options\` specification.`,
        ...keys.map((key) =>
          key === 'include' ? 'Please use `error` instead of `include`.' : 'Please use `warn` instead of `exclude`.',
        ),
      ].join(' '),
    ),
}
