import { dottedParts } from '../../base/dotted.ts'
import { Failure } from '../../base/failure.ts'
import { showPattern, type GrantedPrivilege, type GrantRequest, type Pattern } from '../../govern/index.ts'
import type { Context, Command } from '../command.ts'
import { noArguments, oneArgument } from '../command.ts'
import { table } from '../output.ts'

const columns = {
  columns: { type: 'string', value: 'NAMES', about: 'Of select: these columns and no others, with commas.' },
} as const

export const grant: Command = {
  name: 'grant',
  summary: 'Give a right to a role, a user or a group, as SQL does with GRANT.',
  arguments: 'PRIVILEGES on TABLES to WHO',
  options: columns,
  examples: [
    'boathouse grant select on "marts.*" to analyst',
    'boathouse grant select,insert on dev.raw.orders to user:ana',
    'boathouse grant select on marts.people to public --columns id,name',
  ],
  async run(context) {
    const request = requestOf(context, 'to')
    const app = await context.open()
    const { changed } = await app.govern.access.grant(request, { by: app.principal, source: 'cli' })
    context.out.answer({ ...request, changed }, changed ? 'Granted.' : 'It was granted already.')
  },
}

export const revoke: Command = {
  name: 'revoke',
  summary: 'Take a right away; it is gone at the next statement.',
  arguments: 'PRIVILEGES on TABLES from WHO',
  options: columns,
  examples: ['boathouse revoke select on "marts.*" from analyst'],
  async run(context) {
    const request = requestOf(context, 'from')
    const app = await context.open()
    const { changed, inFile } = await app.govern.access.revoke(request, { by: app.principal, source: 'cli' })
    context.out.answer(
      { ...request, changed, inFile },
      !changed
        ? 'Nothing of that was granted.'
        : inFile
          ? 'Revoked. access.yml still says it: take it out there too, or the next start gives it again.'
          : 'Revoked.',
    )
  },
}

export const grantList: Command = {
  name: 'grant ls',
  summary: 'What is granted to whom.',
  options: { of: { type: 'string', value: 'WHO', about: 'Only of this role, user or group.' } },
  examples: ['boathouse grant ls', 'boathouse grant ls --of user:ana'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const of = context.flags.text('of')
    const all = await app.govern.access.list(app.principal, of === undefined ? {} : { of })
    context.out.answer(all, () =>
      all.length === 0
        ? 'Nothing is granted.'
        : table(
            ['right', 'columns', 'on', 'to', 'from', 'by'],
            all.map((one) => [
              one.privilege,
              one.columns?.join(', ') ?? '',
              showPattern(one.on),
              `${one.to.kind}:${one.to.name}`,
              one.source,
              one.grantedBy,
            ]),
          ),
    )
  },
}

export const roleList: Command = {
  name: 'role ls',
  summary: 'The roles and who has them.',
  examples: ['boathouse role ls'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const all = await app.govern.access.roles(app.principal)
    context.out.answer(all, () =>
      all.length === 0
        ? 'There are no roles beside admin, reader and member.'
        : table(
            ['role', 'members', 'from'],
            all.map(({ role, members, source }) => [
              role,
              members.map(({ kind, name }) => `${kind}:${name}`).join(', '),
              source,
            ]),
          ),
    )
  },
}

export const roleCreate: Command = {
  name: 'role create',
  summary: 'Make a role, to which rights are granted.',
  arguments: 'ROLE',
  examples: ['boathouse role create analyst'],
  async run(context) {
    const role = oneArgument(context, 'ROLE')
    const app = await context.open()
    await app.govern.access.createRole(role, { by: app.principal, source: 'cli' })
    context.out.answer({ role }, `Made the role ${role.toLowerCase()}.`)
  },
}

export const roleDrop: Command = {
  name: 'role drop',
  summary: 'Take a role away with everything that is granted to it.',
  arguments: 'ROLE',
  examples: ['boathouse role drop analyst'],
  async run(context) {
    const role = oneArgument(context, 'ROLE')
    const app = await context.open()
    await app.govern.access.dropRole(role, { by: app.principal, source: 'cli' })
    context.out.answer({ role, dropped: true }, `Dropped the role ${role.toLowerCase()}.`)
  },
}

export const roleGrant: Command = {
  name: 'role grant',
  summary: 'Give a role to users, groups or other roles.',
  arguments: 'ROLE WHO...',
  examples: ['boathouse role grant analyst ana', 'boathouse role grant analyst group:finance'],
  async run(context) {
    const { role, who } = roleAndWho(context)
    const app = await context.open()
    const { changed } = await app.govern.access.grantRole(role, who, { by: app.principal, source: 'cli' })
    context.out.answer({ role, to: who, changed }, changed ? 'Granted.' : 'They had it already.')
  },
}

export const roleRevoke: Command = {
  name: 'role revoke',
  summary: 'Take a role away from users, groups or other roles.',
  arguments: 'ROLE WHO...',
  examples: ['boathouse role revoke analyst ana'],
  async run(context) {
    const { role, who } = roleAndWho(context)
    const app = await context.open()
    const { changed, inFile } = await app.govern.access.revokeRole(role, who, { by: app.principal, source: 'cli' })
    const text = inFile ? 'Revoked. access.yml still says it: take it out there too.' : 'Revoked.'
    context.out.answer({ role, from: who, changed, inFile }, changed ? text : 'They did not have it.')
  },
}

function roleAndWho({ args: [role, ...who] }: Context): { role: string; who: string[] } {
  if (role === undefined || who.length === 0) throw new Failure('USAGE', 'a role and at least one WHO are expected')
  return { role, who }
}

/** `select,insert on marts.orders to ana`, in as many arguments as the shell made of it. */
function requestOf({ args, flags }: Context, word: 'to' | 'from'): GrantRequest {
  const [, given, on, who] = new RegExp(`^(.+?) on (\\S+) ${word} (.+)$`, 'i').exec(args.join(' ')) ?? []
  if (given === undefined || on === undefined || who === undefined)
    throw new Failure('USAGE', `expected PRIVILEGES on TABLES ${word} WHO, found "${args.join(' ')}"`)
  const list = (text: string) => text.split(/[\s,]+/).filter((one) => one !== '')
  const only = flags.text('columns')
  return {
    privileges: list(given.toLowerCase()) as GrantedPrivilege[],
    on: patternOf(on),
    to: list(who),
    ...(only === undefined ? {} : { columns: list(only) }),
  }
}

function patternOf(text: string): Pattern {
  const parts = dottedParts(text) ?? []
  if (text !== '*' && (parts.length < 2 || parts.length > 3))
    throw new Failure('USAGE', `${text} is not namespace.table or environment.namespace.table; * is any text`, {
      hint: 'Write quotes around a name with dots: raw."stg.users".',
    })
  const [name = '*', namespace = '*', environment = '*'] = parts.reverse()
  return { environment, namespace, table: name }
}
