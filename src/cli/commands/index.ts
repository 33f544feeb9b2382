// Every command, in the order in which help shows them.

import type { Command } from '../command.ts'
import { accessApply, accessCheck, accessShow } from './access.ts'
import { ci, impact } from './ci.ts'
import { dbt } from './dbt/index.ts'
import { deps, docs, parse, seed, show, snapshot, sourceFreshness } from './dbt/short.ts'
import { doctor } from './doctor.ts'
import { grant, grantList, revoke, roleCreate, roleDrop, roleGrant, roleList, roleRevoke } from './grants.ts'
import { init } from './init.ts'
import {
  environmentsCreate,
  environmentsDiff,
  environmentsDrop,
  environmentsList,
  environmentsPromote,
} from './environments.ts'
import { tableAddFiles, tableRegister } from './table-files.ts'
import { completion, explain, migrate, openapi, version } from './misc.ts'
import { check, lineage, preview } from './insight.ts'
import { metricsList, metricsQuery } from './metrics.ts'
import { compile, list } from './models.ts'
import { publicationsList, publicationsRollback, publicationsShow } from './publications.ts'
import { query, sql } from './query.ts'
import { build, ingest, ingestAdd, run, runsCancel, runsList, runsRetry, runsShow, test } from './run.ts'
import { tableCompact, tableExpire, tableOrphans } from './table-maintenance.ts'
import { tableBranch, tableDiff, tableRollback, tableTag } from './table-refs.ts'
import { tableDescribe, tableHistory, tableList } from './table.ts'
import { tokenCreate, tokenList, tokenRevoke } from './tokens.ts'
import { dev, down, logs, reset, serve, status, up, worker } from './up.ts'
import { userCreate, userDisable, userEnable, userList, userReset } from './users.ts'

export const commands: readonly Command[] = [
  init,
  up,
  down,
  status,
  logs,
  dev,
  reset,
  serve,
  worker,
  run,
  ingest,
  ingestAdd,
  build,
  test,
  compile,
  list,
  check,
  lineage,
  preview,
  impact,
  ci,
  seed,
  snapshot,
  show,
  docs,
  parse,
  deps,
  sourceFreshness,
  dbt,
  query,
  sql,
  metricsList,
  metricsQuery,
  tableList,
  tableDescribe,
  tableAddFiles,
  tableRegister,
  tableHistory,
  tableDiff,
  tableRollback,
  tableTag,
  tableBranch,
  tableExpire,
  tableCompact,
  tableOrphans,
  runsList,
  runsShow,
  runsCancel,
  runsRetry,
  publicationsList,
  publicationsShow,
  publicationsRollback,
  environmentsList,
  environmentsCreate,
  environmentsDiff,
  environmentsPromote,
  environmentsDrop,
  userList,
  userCreate,
  userReset,
  userDisable,
  userEnable,
  tokenList,
  tokenCreate,
  tokenRevoke,
  roleList,
  roleCreate,
  roleDrop,
  roleGrant,
  roleRevoke,
  grant,
  grantList,
  revoke,
  accessShow,
  accessCheck,
  accessApply,
  doctor,
  migrate,
  openapi,
  completion,
  explain,
  version,
]
