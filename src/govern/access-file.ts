// What access.yml says, put in place of what it said before. Rows that came by SQL or the command line stay.

import { Failure } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'
import type { CatalogTransaction } from '../records/index.ts'
import type { AccessDiff, AccessFile } from './access.ts'
import type { Limit } from './limits.ts'
import { columnsText, grantOf, limitOf, maskOf, membershipsOf, placeOf, rowFilterOf } from './policy-records.ts'
import { allWith, type ColumnMask, type Grant, granteeKey, type RowFilter, showPattern } from './policy.ts'

const source = 'access.yml'

type Stamp = { by: string; at: string; id(): string }

/** @throws REQUEST_INVALID for a role or group that is named and nowhere made */
export async function applyAccess(trx: CatalogTransaction, file: AccessFile, stamp: Stamp): Promise<AccessDiff> {
  const before = await linesOf(trx)
  for (const table of [
    'access_roles',
    'access_groups',
    'access_members',
    'access_attributes',
    'access_grants',
    'access_row_filters',
    'access_column_masks',
    'access_limits',
  ] as const)
    await trx.deleteFrom(table).where('source', '=', source).execute()
  await insert(trx, file, stamp)
  await checkNames(trx, file)
  const after = await linesOf(trx)
  return {
    added: after.filter((line) => !before.includes(line)),
    removed: before.filter((line) => !after.includes(line)),
  }
}

async function insert(trx: CatalogTransaction, file: AccessFile, { by, at, id }: Stamp): Promise<void> {
  for (const { name } of file.roles)
    await trx.insertInto('access_roles').values({ name, source, created_at: at, created_by: by }).execute()
  for (const { name } of file.groups) await trx.insertInto('access_groups').values({ name, source }).execute()
  const members = [
    ...file.groups.flatMap(({ name, users }) =>
      users.map((user) => ({ kind: 'user' as const, name: user, of_kind: 'group' as const, of_name: name })),
    ),
    ...file.roles.flatMap(({ name, members }) =>
      members.map((member) => ({ ...member, of_kind: 'role' as const, of_name: name })),
    ),
  ]
  for (const member of members)
    await trx
      .insertInto('access_members')
      .values({ ...member, source, granted_at: at, granted_by: by })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  for (const { user, values } of file.attributes)
    for (const [key, value] of Object.entries(values))
      await trx.insertInto('access_attributes').values({ user_name: user, key, value, source }).execute()
  for (const { privilege, on, columns, to } of file.grants)
    await trx
      .insertInto('access_grants')
      .values({
        id: id(),
        privilege,
        ...placeOf(on),
        columns_text: columnsText(columns),
        grantee_kind: to.kind,
        grantee: to.name,
        source,
        granted_at: at,
        granted_by: by,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  for (const [position, { on, to, except, condition }] of file.rowFilters.entries())
    await trx
      .insertInto('access_row_filters')
      .values({
        id: id(),
        position,
        ...placeOf(on),
        to_json: to ? JSON.stringify(to) : null,
        except_json: JSON.stringify(except),
        condition,
        source,
      })
      .execute()
  for (const [position, { on, column, except, expression }] of file.masks.entries())
    await trx
      .insertInto('access_column_masks')
      .values({
        id: id(),
        position,
        ...placeOf(on),
        column_name: column.toLowerCase(),
        except_json: JSON.stringify(except),
        expression,
        source,
      })
      .execute()
  for (const { name, most, to } of file.limits ?? [])
    await trx
      .insertInto('access_limits')
      .values({ id: id(), grantee_kind: to.kind, grantee: to.name, name, most, source })
      .execute()
}

/** Users may be named before they are made: they log in later. A role or group that nobody made is a slip of the pen. */
async function checkNames(trx: CatalogTransaction, file: AccessFile): Promise<void> {
  const roles = (await trx.selectFrom('access_roles').select('name').execute()).map(({ name }) => name)
  const groups = (await trx.selectFrom('access_groups').select('name').execute()).map(({ name }) => name)
  const known = { role: [...roles, 'admin', 'reader', 'member', 'public'], group: groups }
  const check = (kind: 'role' | 'group', name: string, where: string) => {
    if (known[kind].includes(name)) return
    throw new Failure(
      'REQUEST_INVALID',
      `${where} names the ${kind} ${name}, which there is not${didYouMean(name, known[kind])}`,
      {
        hint: `Add it under ${kind}s: in access.yml.`,
      },
    )
  }
  for (const { name, members } of file.roles)
    for (const { kind, name: member } of members) if (kind !== 'user') check(kind, member, `the role ${name}`)
  for (const { to } of file.grants) if (to.kind !== 'user') check(to.kind, to.name, 'a grant')
  for (const { to } of file.limits ?? []) if (to.kind !== 'user') check(to.kind, to.name, 'a limit')
  for (const { to = [], except } of file.rowFilters)
    for (const role of [...to, ...except]) check('role', role, 'a row filter')
  for (const { except } of file.masks) for (const role of except) check('role', role, 'a mask')
  await checkCircles(trx, file)
}

async function checkCircles(trx: CatalogTransaction, file: AccessFile): Promise<void> {
  const memberships = membershipsOf(await trx.selectFrom('access_members').selectAll().execute())
  for (const { name: role } of file.roles) {
    const key = granteeKey({ kind: 'role', name: role })
    const above = allWith(memberships, memberships.get(key) ?? [])
    if (above.has(key))
      throw new Failure(
        'REQUEST_INVALID',
        `the role ${role} is a member of itself, by way of ${[...above.values()].map(({ name }) => name).join(', ')}`,
        {
          hint: 'Take one of these memberships out of access.yml.',
        },
      )
  }
}

/** What the file stands for in the records, a line each. */
async function linesOf(trx: CatalogTransaction): Promise<string[]> {
  const roles = await trx.selectFrom('access_roles').selectAll().where('source', '=', source).execute()
  const groups = await trx.selectFrom('access_groups').selectAll().where('source', '=', source).execute()
  const members = await trx.selectFrom('access_members').selectAll().where('source', '=', source).execute()
  const attributes = await trx.selectFrom('access_attributes').selectAll().where('source', '=', source).execute()
  const grants = await trx.selectFrom('access_grants').selectAll().where('source', '=', source).execute()
  const filters = await trx
    .selectFrom('access_row_filters')
    .selectAll()
    .where('source', '=', source)
    .orderBy('position')
    .execute()
  const masks = await trx
    .selectFrom('access_column_masks')
    .selectAll()
    .where('source', '=', source)
    .orderBy('position')
    .execute()
  const limits = await trx.selectFrom('access_limits').selectAll().where('source', '=', source).execute()
  return [
    ...roles.map(({ name }) => `role ${name}`),
    ...groups.map(({ name }) => `group ${name}`),
    ...members.map((one) => `${one.of_kind} ${one.of_name} for ${one.kind} ${one.name}`),
    ...attributes.map(({ user_name, key, value }) => `attribute ${key} of ${user_name}: ${value}`),
    ...grants.map((row) => showGrant(grantOf(row))),
    ...filters.map((row) => showRowFilter(rowFilterOf(row))),
    ...masks.map((row) => showMask(maskOf(row))),
    ...limits.map((row) => showLimit(limitOf(row))),
  ].sort()
}

export const showGrant = ({ privilege, on, columns, to }: Grant): string =>
  `grant ${privilege}${columns ? ` (${columns.join(', ')})` : ''} on ${showPattern(on)} to ${granteeKey(to)}`
const showLimit = ({ name, most, to }: Limit): string => `limit ${name} of ${granteeKey(to)} to ${most}`
const showRowFilter = ({ on, to, except, condition }: RowFilter): string =>
  `rows of ${showPattern(on)} where ${condition}${to ? ` for ${to.join(', ')}` : ''}${showExcept(except)}`
const showMask = ({ on, column, except, expression }: ColumnMask): string =>
  `mask ${column} of ${showPattern(on)} as ${expression}${showExcept(except)}`
const showExcept = (except: readonly string[]) => (except.length > 0 ? ` except ${except.join(', ')}` : '')
