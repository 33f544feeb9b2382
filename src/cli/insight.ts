// What commands and pages may ask about the dbt project without building it.

import type { Place } from '../base/failure.ts'
import type { Environment } from '../config/index.ts'
import type { Principal } from '../govern/index.ts'
import type { Column } from '../contract/index.ts'
import type { BuildInput } from './dbt-run.ts'
import type { Checked, ColumnGraph, DbtProject, ModelChange } from '../transform/index.ts'

export type Preview = {
  name: string
  columns: Column[]
  rows: unknown[][]
  truncated: boolean
  /** What ran. */
  sql: string
  place: Place
}

export type Insight = {
  /** The project as it is in the working tree; throws every mistake of its files, NOT_FOUND when there is none. */
  project(environment: Environment, reading?: ProjectReading): Promise<DbtProject>
  /** The project in another folder, read as `like` was: with its target, variables and environment. */
  projectAt(dir: string, like: DbtProject): Promise<DbtProject>
  /** What changed from one version of the project to the other. */
  compare(before: DbtProject, after: DbtProject, signal: AbortSignal): Promise<ModelChange[]>
  /** Unique ids of what comes out otherwise in the second than in the first although its own file is the same. */
  remade(before: DbtProject, after: DbtProject, signal: AbortSignal): Promise<string[]>
  /** Binds every SELECT of the project, or of the selection, without running any. */
  check(options: InsightOptions): Promise<Checked & { project: DbtProject }>
  /** Lineage by columns of all that binds. */
  columns(options: InsightOptions): Promise<{ project: DbtProject; graph: ColumnGraph; checked: Checked }>
  /** First rows of a model as it is in the working tree, over what is published; of one of its CTEs where `cte` is given. */
  preview(options: {
    environment: Environment
    principal: Principal
    model: string
    cte?: string | undefined
    limit: number
    signal: AbortSignal
  }): Promise<Preview>
}

/** Variables, and the target of the profile, where not those of the environment. */
export type ProjectReading = NonNullable<BuildInput['reading']>

export type InsightOptions = {
  environment: Environment
  reading?: ProjectReading
  select?: readonly string[]
  exclude?: readonly string[]
  signal?: AbortSignal
}
