import { oneArgument, noArguments, type Command } from '../command.ts'
import { parseDurationMs } from '../../base/units.ts'
import { Failure } from '../../base/failure.ts'
import { asRole } from '../../govern/index.ts'
import type { App } from '../app.ts'
import { table } from '../output.ts'

export const tokenCreate: Command = {
  name: 'token create',
  summary: 'Make an API token for a person, or with --role for a program; it is shown once.',
  arguments: 'NAME',
  options: {
    user: { type: 'string', value: 'USER', about: 'Whose rights it has; default admin.' },
    role: {
      type: 'string',
      multiple: true,
      value: 'ROLE',
      about: 'For a program: a user of the name of the token is made, with this role and no other right.',
    },
    expires: { type: 'string', value: 'DURATION', about: 'For example 30d; default: until it is revoked.' },
    valid: { type: 'string', value: 'DURATION', about: 'The same as --expires.' },
  },
  examples: ['boathouse token create ci --user ana --expires 30d', 'boathouse token create loader --role ingest'],
  async run(context) {
    const name = oneArgument(context, 'NAME')
    const valid = context.flags.text('expires') ?? context.flags.text('valid')
    const validForMs = valid === undefined ? undefined : parseDurationMs(valid)
    if (valid !== undefined && !validForMs)
      throw new Failure('USAGE', `--expires takes a duration such as 30d or 12h, found "${valid}"`)
    const roles = context.flags.list('role')
    if (roles.length > 0 && context.flags.text('user') !== undefined)
      throw new Failure('USAGE', 'a token is for a user or for roles: give --user or --role')
    const app = await context.open()
    const user = roles.length > 0 ? await programOf(app, name, roles) : await personOf(app, context.flags.text('user'))
    const { token, info } = await app.govern.tokens.create(user.id, { name, ...(validForMs ? { validForMs } : {}) })
    context.out.answer(
      { token, ...info },
      `${token}\nIt is shown only now. Send it as \`Authorization: Bearer …\` with the header \`x-boathouse: 1\`.`,
    )
  },
}

/** The administrator, unless somebody is named. */
async function personOf({ govern }: App, name: string | undefined) {
  return govern.users.get(name ?? 'admin').catch((cause: unknown) => {
    if (name !== undefined || !(cause instanceof Failure) || cause.code !== 'NOT_FOUND') throw cause
    throw new Failure('NOT_FOUND', cause.message, {
      cause,
      hint: 'The first start of the server makes it: `boathouse up`. Or name somebody with --user, or a role with --role.',
    })
  })
}

/** A user that nobody logs in as, with exactly these roles. */
async function programOf({ govern, principal }: App, name: string, roles: readonly string[]) {
  const builtIn = roles.find((role) => role === 'admin' || role === 'reader')
  // Before the user is made, who would be in the way of the next try.
  const known = new Set((await govern.access.roles(principal)).map(({ role }) => role))
  for (const role of roles)
    if (role !== builtIn && !known.has(role.toLowerCase()))
      throw new Failure(
        'NOT_FOUND',
        `there is no role ${role}; there are: ${['admin', 'reader', ...known].join(', ')}`,
        {
          hint: `Make it with \`boathouse role create ${role}\`.`,
        },
      )
  const user = await govern.users.create({ name, role: asRole(builtIn ?? 'member') })
  const others = roles.filter((role) => role !== builtIn)
  try {
    for (const role of others)
      await govern.access.grantRole(role, [`user:${user.name}`], { by: principal, source: 'cli' })
  } catch (error) {
    await govern.users.change(user.id, { disabled: true })
    throw error
  }
  return user
}

export const tokenList: Command = {
  name: 'token ls',
  summary: 'The API tokens, without their secrets.',
  examples: ['boathouse token ls'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const all = await app.govern.tokens.list()
    const names = new Map((await app.govern.users.list()).map(({ id, name }) => [id, name]))
    context.out.answer(all, () =>
      all.length === 0
        ? 'There are no tokens.'
        : table(
            ['id', 'name', 'of', 'created', 'last used', 'expires', ''],
            all.map((one) => [
              one.id,
              one.name,
              names.get(one.userId),
              one.createdAt,
              one.lastUsedAt ?? 'never',
              one.expiresAt ?? 'never',
              one.revokedAt ? 'revoked' : '',
            ]),
          ),
    )
  },
}

export const tokenRevoke: Command = {
  name: 'token revoke',
  summary: 'End an API token at once.',
  arguments: 'ID',
  examples: ['boathouse token revoke 01k2…'],
  async run(context) {
    const id = oneArgument(context, 'ID')
    const app = await context.open()
    await app.govern.tokens.revoke(id)
    context.out.answer({ id, revoked: true }, `Revoked ${id}.`)
  },
}
