// What the asker of one statement may do, by the policy of the moment when the statement began.

import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import { showName, type Loaded, type LoadedView, type TableName } from '../../catalog/index.ts'
import {
  authoriseTable,
  decide,
  decideFor,
  emptyPolicy,
  limitsOf,
  mayKnow,
  mayKnowOf,
  seesAll,
  subjectOf,
  type Access,
  type Decision,
  type Governed,
  type NamedEnvironment,
  type OwnLimits,
  type Policy,
  type Principal,
  type Privilege,
  type Subject,
  type ViewOwners,
} from '../../govern/index.ts'
import { currentViewVersion, type Field } from '../../iceberg/index.ts'
import { schemaOfLoaded } from '../relations/information.ts'
import { isSequenceProperty } from '../write/column-property.ts'

/** Where rights come from. Without it nothing is granted beyond the built-in roles, and nothing hidden. */
export type AccessDeps = { access: Pick<Access, 'policy'>; owners: ViewOwners } | undefined

export type Rights = {
  asker: Subject
  /** How much they may take, below what the server allows. */
  limits: OwnLimits
  /** What a SELECT shows of a table or view; by the grants of `subject` when a view is read with its owner's. */
  select(name: TableName, subject?: Subject): Decision
  /** Whether the grants allow it; a protected environment may still refuse. */
  may(privilege: Privilege, on: Governed): boolean
  /** As `select` of `system.audit`: whoever may see all tables is not yet told what others do with them. */
  logs(name: TableName, subject: Subject): Decision
  /** False: for this asker there is no such thing. */
  knows(name: TableName): boolean
  knowsNamespace(catalog: string, namespace: string): boolean
  /** Columns that a SELECT gives, in order; none when it is refused. */
  columns(loaded: Loaded): readonly Field[]
  /** With whose rights a view reads; undefined: the asker's. */
  ownerOf(view: LoadedView): Promise<Subject | undefined>
  /** Whether `owner` may select of this what `subject`, in whose text the view stands, may not. */
  lends(name: TableName, owner: Subject, subject: Subject): boolean
}

/** `isOwn`: views whose owner is the principal, which need not be looked up. */
export async function rightsOf(
  principal: Principal,
  deps: AccessDeps,
  isOwn: (view: LoadedView) => boolean = () => false,
): Promise<Rights> {
  const policy = (await deps?.access.policy()) ?? emptyPolicy
  const asker = subjectOf(policy, principal)
  const select: Rights['select'] = (name, subject = asker) => decideFor(policy, subject, 'select', name, asker)
  return {
    asker,
    limits: limitsOf(policy, principal),
    select,
    may: (privilege, on) => decideFor(policy, asker, privilege, on).verdict === 'allowed',
    logs(name, subject) {
      const grants = policy.grants.filter(({ on }) => on.namespace?.toLowerCase() === name.namespace)
      return decideFor({ ...policy, grants }, subject, 'select', name, asker)
    },
    knows: (name) => mayKnow(policy, principal, name),
    knowsNamespace: (catalog, namespace) => mayKnowOf(policy, principal, { catalog, namespace }),
    columns: (loaded) => {
      const { verdict, columns } = select(loaded.name)
      const { fields } = schemaOfLoaded(loaded)
      if (verdict === 'refused') return []
      return columns === 'all' ? fields : fields.filter(({ name }) => columns.has(name.toLowerCase()))
    },
    async ownerOf(view) {
      if (isOwn(view)) return asker
      const owner = await deps?.owners.find(view.name, viewContent(view))
      return owner && subjectOf(policy, owner)
    },
    lends(name, owner, subject) {
      const [theirs, own] = [select(name, owner), select(name, subject)]
      if (theirs.verdict === 'refused') return false
      return own.verdict === 'refused' || !includes(own.columns, theirs.columns)
    },
  }
}

const askedEveryMs = 250

/**
 * For answers that are read slowly, a cursor's say: whether what the asker named may still be seen as when the statement
 * began. Asks now and then, however often it is called. @throws FORBIDDEN
 */
export function watchRights(
  began: Rights,
  named: readonly TableName[],
  now: () => Promise<Rights>,
  clock: Pick<Clock, 'now'>,
): () => Promise<void> {
  let askedAtMs = clock.now()
  return async () => {
    if (named.length === 0 || clock.now() - askedAtMs < askedEveryMs) return
    askedAtMs = clock.now()
    const rights = await now()
    const lost = named.find((name) => !showsAsMuch(began, rights, name))
    if (lost)
      throw new Failure('FORBIDDEN', `what ${rights.asker.name} may see of ${showName(lost)} has changed meanwhile`, {
        hint: 'Run the statement again: the answer is what may be seen now.',
      })
  }
}

function showsAsMuch(began: Rights, rights: Rights, name: TableName): boolean {
  const [before, after] = [began.select(name), rights.select(name)]
  const hiding = ({ filters, masks }: Decision, { roles, attributes }: Subject) =>
    filters.length + masks.size === 0 ? '' : JSON.stringify([filters, [...masks], [...roles].sort(), attributes])
  return (
    after.verdict === 'allowed' &&
    includes(after.columns, before.columns) &&
    hiding(before, began.asker) === hiding(after, rights.asker)
  )
}

const includes = (all: Decision['columns'], some: Decision['columns']): boolean =>
  all === 'all' || (some !== 'all' && [...some].every((column) => all.has(column)))

type Content = { uuid: string; digest: string }
const contents = new WeakMap<LoadedView['metadata'], Content>()

/** What a view is, as far as its owner answers for it. */
export function viewContent({ metadata }: Pick<LoadedView, 'metadata'>): Content {
  const known = contents.get(metadata)
  if (known) return known
  const version = currentViewVersion(metadata)
  const said = [version?.defaultCatalog ?? null, version?.defaultNamespace, version?.representations]
  const content = {
    uuid: metadata.viewUuid,
    digest: createHash('sha256').update(JSON.stringify(said)).digest('hex'),
  }
  contents.set(metadata, content)
  return content
}

/**
 * Whether a table may be changed. Who does not see all of it may not change what they do not see: of rows that are updated all
 * columns are read and written again, and a table by another name is one that other rules are for.
 * @throws FORBIDDEN
 */
export function authoriseChange(
  policy: Policy,
  principal: Principal,
  privileges: readonly Privilege[],
  target: TableName,
  { environment, whole = false }: { environment?: NamedEnvironment | undefined; whole?: boolean },
): void {
  for (const privilege of privileges) authoriseTable(policy, principal, privilege, target, environment)
  const needsWhole = whole || privileges.some((privilege) => privilege === 'update' || privilege === 'alter')
  if (!needsWhole) return
  const { filters, masks, columns, verdict } = decide(policy, principal, 'select', target)
  // UPDATE finds the rows that they see alone, and leaves the others as they are. MERGE would add again what they do not see.
  const isUpdate = !whole && privileges.length === 1 && privileges[0] === 'update'
  // Without any right to see it, the rules that would bind a reader count.
  const hidden =
    verdict === 'refused'
      ? boundBy(policy, principal, target)
      : !seesAll({ verdict, columns, filters: isUpdate ? [] : filters, masks, because: [] })
  if (hidden)
    throw new Failure(
      'FORBIDDEN',
      `${principal.name} sees only a part of ${showName(target)} and may not change all of it`,
      {
        hint: 'Ask somebody whom no row filter, mask or grant of single columns binds there.',
      },
    )
}

function boundBy(policy: Policy, principal: Principal, target: TableName): boolean {
  const reader: Subject = { ...subjectOf(policy, principal), role: 'reader' }
  return !seesAll(decideFor(policy, reader, 'select', target, subjectOf(policy, principal)))
}

/**
 * Whether somebody may give a table these properties. One that says where files go has the server write there, wherever
 * that is on its disk; one that says which sequence gives numbers asks nobody for the right to take them. @throws FORBIDDEN
 */
export function authoriseProperties(
  policy: Policy,
  principal: Principal,
  properties: Readonly<Record<string, string>>,
  target: TableName,
): void {
  const { role, name } = subjectOf(policy, principal)
  if (role === 'admin' || role === 'system') return
  if (Object.entries(properties).some(([key, value]) => isSequenceProperty(key, value)))
    throw new Failure('FORBIDDEN', `${name} may not say by a property which sequence numbers ${showName(target)}`, {
      hint: "Write ALTER COLUMN … SET DEFAULT nextval('…').",
    })
  const place = Object.keys(properties).find((key) => /^write\..*path$/i.test(key))
  if (place === undefined) return
  throw new Failure('FORBIDDEN', `${name} may not say where the files of ${showName(target)} go (${place})`, {
    hint: 'Leave the property out: tables have folders of their own.',
  })
}
