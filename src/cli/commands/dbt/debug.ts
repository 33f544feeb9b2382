// debug: whether the project, its profile, git and the lake are as they should be, in one page.

import { execFile } from 'node:child_process'
import { release, type } from 'node:os'
import { promisify } from 'node:util'
import { Failure, asFailure } from '../../../base/failure.ts'
import { collect } from '../../../lake/index.ts'
import { dbtVersion } from '../../../project/dbt/index.ts'
import { ownVersion } from '../../version.ts'
import { openLakeOf, openPlace, openProject, type Place, type Session } from './open.ts'

export async function debug(session: Session): Promise<number> {
  const { log, flags, dir } = session
  const problems: string[] = []
  const check = async (what: string, work: () => Promise<string>, wrong = 'ERROR'): Promise<void> => {
    try {
      log.info(`  ${what} [${log.paint('green', await work())}]`)
    } catch (error) {
      const failure = asFailure(error)
      problems.push(`${what}: ${failure.code}: ${failure.message}`)
      log.info(`  ${what} [${log.paint('red', wrong)}]`)
    }
  }
  let place: Place | undefined
  const opened = async () => (place ??= await openPlace(session))
  if (flags.is('config-dir')) {
    log.answer((await opened()).profile?.file ?? `no profiles.yml; looked for in ${dir} and ~/.dbt`, {
      name: 'OpenCommand',
      code: 'Z038',
    })
    return 0
  }
  log.info(`dbt version: ${dbtVersion} (boathouse ${ownVersion()})`)
  log.info(`node version: ${process.versions.node}`)
  log.info(`os info: ${type()} ${release()}`)
  log.info(`Using dbt_project.yml file at ${dir}/dbt_project.yml`)
  if (flags.is('connection')) log.info('Skipping steps before connection verification')
  else {
    log.info('Configuration:')
    await check(
      'profiles.yml file',
      async () => ((await opened()).profile ? 'OK found and valid' : 'OK none; the environment says it all'),
      'ERROR invalid',
    )
    await check(
      'dbt_project.yml file',
      async () => {
        await openProject(session, await opened())
        return 'OK found and valid'
      },
      'ERROR invalid',
    )
    log.info('Required dependencies:')
    await check(' - git', async () => {
      await promisify(execFile)('git', ['--version']).catch((cause: unknown) => {
        throw new Failure('NOT_FOUND', 'git is not installed; only packages from git need it', { cause })
      })
      return 'OK found'
    })
  }
  log.info('Connection:')
  await check('environment', async () => {
    const { environment, target } = await opened()
    const { name, catalog, writable } = environment
    return `OK ${name}: catalog ${catalog}, shown as ${target.database}, schema ${target.schema}${writable ? '' : '; protected, so only read unless --target or --env names it'}`
  })
  await check('Connection test:', async () => {
    const app = await openLakeOf(session, await opened())
    await collect(await app.lake.query('select 1 as ok', app.asking('cli')))
    return 'OK connection ok'
  })
  log.gap()
  if (problems.length === 0) log.info(log.paint('green', 'All checks passed!'))
  else
    log.say(
      'error',
      `${log.paint('red', `${problems.length} ${problems.length === 1 ? 'check' : 'checks'} failed:`)}\n${problems.join('\n')}`,
    )
  return problems.length === 0 ? 0 : 1
}
