import { Failure } from '../../../base/failure.ts'
import type { Session } from './open.ts'

export const retry = (session: Session): Promise<number> => {
  throw new Failure('UNSUPPORTED', `dbt ${session.verb} is not here yet`)
}
