import { oneArgument, noArguments, type Command } from '../command.ts'
import { parseDurationMs } from '../../base/units.ts'
import { Failure } from '../../base/failure.ts'
import { table } from '../output.ts'

export const tokenCreate: Command = {
  name: 'token create',
  summary: 'Make an API token for a person; it is shown once.',
  arguments: 'NAME',
  options: {
    user: { type: 'string', value: 'USER', about: 'Whose rights it has; default admin.' },
    valid: { type: 'string', value: 'DURATION', about: 'For example 30d; default: until it is revoked.' },
  },
  examples: ['boathouse token create ci --user ana --valid 30d'],
  async run(context) {
    const name = oneArgument(context, 'NAME')
    const valid = context.flags.text('valid')
    const validForMs = valid === undefined ? undefined : parseDurationMs(valid)
    if (valid !== undefined && !validForMs)
      throw new Failure('USAGE', `--valid takes a duration such as 30d or 12h, found "${valid}"`)
    const app = await context.open()
    const user = await app.govern.users.get(context.flags.text('user') ?? 'admin')
    const { token, info } = await app.govern.tokens.create(user.id, { name, ...(validForMs ? { validForMs } : {}) })
    context.out.answer(
      { token, ...info },
      `${token}\nIt is shown only now. Send it as \`Authorization: Bearer …\` with the header \`x-boathouse: 1\`.`,
    )
  },
}

export const tokenList: Command = {
  name: 'token ls',
  summary: 'The API tokens, without their secrets.',
  examples: ['boathouse token ls'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const all = await app.govern.tokens.list()
    context.out.answer(all, () =>
      all.length === 0
        ? 'There are no tokens.'
        : table(
            ['id', 'name', 'created', 'last used', 'expires', ''],
            all.map((one) => [
              one.id,
              one.name,
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
