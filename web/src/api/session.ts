import { createContext, useContext } from 'react'
import type { Session } from '../../../src/contract/index.ts'

export type LoggedIn = Session & { user: NonNullable<Session['user']> }
export const SessionContext = createContext<LoggedIn | null>(null)

/** Who is looking; only inside the frame, where somebody is logged in. */
export function useSession(): LoggedIn {
  const session = useContext(SessionContext)
  if (!session) throw new Error('no session outside the frame')
  return session
}
export const useIsAdmin = (): boolean => useSession().user.role === 'admin'
