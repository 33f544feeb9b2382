import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { noArguments, oneArgument, type Command } from '../command.ts'
import type { App } from '../app.ts'
import type { SqlEndpoint } from '../sql-endpoint.ts'
import { table } from '../output.ts'

export const userList: Command = {
  name: 'user ls',
  summary: 'Who may log in.',
  examples: ['boathouse user ls'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const all = await app.govern.users.list()
    context.out.answer(all, () =>
      table(
        ['name', 'role', 'last log-in', ''],
        all.map((user) => [user.name, user.role, user.lastSeenAt ?? 'never', user.disabled ? 'disabled' : '']),
      ),
    )
  },
}

export const userCreate: Command = {
  name: 'user create',
  summary: 'Add a person; prints a one-time link with which to log in and choose a password.',
  arguments: 'NAME',
  options: {
    role: {
      type: 'string',
      value: 'ROLE',
      about: 'reader (looks at all data; the default), member (only at what is granted) or admin (changes it).',
    },
  },
  examples: ['boathouse user create ana --role reader'],
  async run(context) {
    const name = oneArgument(context, 'NAME')
    const role = context.flags.text('role') ?? 'reader'
    if (role !== 'admin' && role !== 'reader' && role !== 'member')
      throw new Failure('USAGE', `--role is admin, reader or member, found "${role}"`)
    const app = await context.open()
    const user = await app.govern.users.create({ name, role })
    const link = loginUrl(app, await app.govern.users.createLink(user.id))
    context.out.answer({ user, link }, `Added ${name} (${role}). Log in once with\n  ${link}`)
  },
}

export const userReset: Command = {
  name: 'user reset',
  summary: 'Print a one-time log-in link for a person; their sessions end.',
  arguments: 'NAME',
  examples: ['boathouse user reset admin'],
  async run(context) {
    const name = oneArgument(context, 'NAME')
    const app = await context.open()
    const { user, link: token } = await app.govern.users.reset(name)
    const link = loginUrl(app, token)
    context.out.answer({ user: user.name, link }, `Log in once with\n  ${link}`)
  },
}

export const userDisable: Command = {
  name: 'user disable',
  summary: 'Close an account; its sessions end at once. `user enable` opens it again.',
  arguments: 'NAME',
  examples: ['boathouse user disable ana'],
  run: (context) => setDisabled(context, true),
}

export const userEnable: Command = {
  name: 'user enable',
  summary: 'Open a disabled account again.',
  arguments: 'NAME',
  examples: ['boathouse user enable ana'],
  run: (context) => setDisabled(context, false),
}

async function setDisabled(context: Parameters<Command['run']>[0], disabled: boolean): Promise<void> {
  const name = oneArgument(context, 'NAME')
  const app = await context.open()
  await app.govern.users.change(name, { disabled })
  context.out.answer({ user: name, disabled }, `${name} is ${disabled ? 'disabled' : 'enabled'}.`)
}

/** Where a one-time log-in link leads; `base` is where the server really listens, when that is known. */
export const loginUrl = (app: App, { token }: { token: string }, base = servedAt(app)): string =>
  `${app.config.http.publicUrl?.replace(/\/$/, '') ?? base}/login?token=${token}`

type Served = { url: string; sql: SqlEndpoint | null }

/** Where the server of this project said that it listens. */
export function served({ config }: Pick<App, 'config'>): Served {
  const usual: Served = { url: `http://localhost:${config.http.port}`, sql: null }
  try {
    return { ...usual, ...(JSON.parse(readFileSync(join(config.stateDir, 'run', 'serve.json'), 'utf8')) as Served) }
  } catch {
    return usual
  }
}
export const servedAt = (app: App): string => served(app).url
