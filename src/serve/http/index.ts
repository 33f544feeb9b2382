export type { Asker, HttpDeps, HttpLimits, HttpSettings } from './deps.ts'
export { asProblem } from './answer.ts'
export { createHttpServer, type HttpServer } from './server.ts'
export { logInLink } from './users.ts'
