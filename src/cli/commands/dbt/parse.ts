// parse: the project is read, and nothing else.

import { writeManifest } from './artifacts.ts'
import { sayFound } from './lines.ts'
import { openPlace, openProject, type Session } from './open.ts'

export async function parse(session: Session): Promise<number> {
  const place = await openPlace(session)
  const project = await openProject(session, place)
  sayFound(session.log, project)
  await writeManifest(session, project)
  return 0
}
