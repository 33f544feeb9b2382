// parse: the project is read, and nothing else.

import { join } from 'node:path'
import { manifestOf, writeJson } from '../../../transform/index.ts'
import { sayFound } from './lines.ts'
import { openPlace, openProject, type Session } from './open.ts'

export async function parse(session: Session): Promise<number> {
  const place = await openPlace(session)
  const project = await openProject(session, place)
  sayFound(session.log, project)
  if (session.flags.is('write-json', true))
    await writeJson(join(session.targetDir, 'manifest.json'), manifestOf(project))
  return 0
}
